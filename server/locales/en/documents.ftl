# Documents: agreements, receipts, lists, labels.

nav-labels = Labels
documents = Documents
documents-none = No document was made yet.
document-agreement = Loan agreement
document-receipt = Return receipt
document-site_list = List of loans
document-campaign_letter = Return letters
document-donation_deed = Deed of transfer
document-packing_list = Packing list
document-yearly_report = Yearly report
document-labels = Labels
document-erasure_certificate = Erasure certificate
document-number = Number
document-kind = Document
document-made = Made on
document-language = Language
document-template = Template and version
document-template-hash = Template’s SHA-256
document-pdf-hash = PDF’s SHA-256
document-intro = What is recorded of this document. The PDF is not kept: a copy is recognised by its hash.
document-recorded = This document
document-its-loan = See the loan
document-its-device = See the device
document-its-campaign = See the campaign
document-its-lot = See the lot
document-its-site = See the site
document-signs = Who signs the agreement
document-all-holders = All holders of parental authority
document-one-holder = Holder no. { $value } only
document-no-holder = This borrower has no such holder of parental authority: complete the identity, or choose “All”.
document-not-in-state = This loan has no such document: a receipt needs a return, an agreement a loan that was not cancelled.
document-logged = The document bears names: making it leaves a row in the audit.
document-make-agreement = Make the agreement (PDF)
document-make-receipt = Return receipt (PDF)
document-make-list = List of open loans (PDF)
document-with-names = With borrowers’ names (leaves a row in the audit)
labels-of-site = Labels for its devices
labels-title = Labels
labels-intro = Each label bears the device’s code in clear, as a bar code and as a QR code.
labels-which = Which devices
labels-codes = Label codes
labels-codes-hint = One a line, or a range: CD72-0001..CD72-0040
labels-or = Or, where the list is empty, the devices of a site or of a search:
labels-search = Search
labels-sheets = On which sheets
labels-format = Format
labels-start = First free place
labels-start-hint = 1 for a fresh sheet; counted from left to right
labels-most = { $count ->
    [one] At most { $count } label at once.
   *[other] At most { $count } labels at once.
}
labels-make = Make the labels (PDF)
labels-problem-empty = Give codes, a site or a search.
labels-problem-nothing = No device matches.
labels-problem-many = Too many labels at once: make several documents.
labels-problem-unknown = No device of your sites bears these codes, or several do: { $value }.
labels-problem-range = “{ $value }” is no range: both ends have the same letters and as many digits.
labels-problem-start = { $count ->
    [one] This sheet has only { $count } place.
   *[other] The first place goes from 1 to { $count } on this sheet.
}
sheet-l7160 = Avery L7160: 21 labels, 63.5 × 38.1 mm
sheet-70x37 = 24 labels edge to edge, 70 × 37 mm
sheet-l7651 = Avery L7651: 65 labels, 38.1 × 21.2 mm
sheet-l4731 = Avery L4731: 189 labels, 25.4 × 10 mm (QR code alone)
