# Documents : conventions, reçus, listes, étiquettes.

nav-labels = Étiquettes
documents = Documents
documents-none = Aucun document n’a encore été établi.
document-agreement = Convention de prêt
document-receipt = Reçu de restitution
document-site_list = Liste des prêts
document-campaign_letter = Courriers de restitution
document-donation_deed = Acte de cession
document-packing_list = Liste de colisage
document-yearly_report = Rapport annuel
document-labels = Étiquettes
document-erasure_certificate = Certificat d’effacement
document-number = Numéro
document-kind = Document
document-made = Établi le
document-language = Langue
document-template = Modèle et version
document-template-hash = Empreinte du modèle (SHA-256)
document-pdf-hash = Empreinte du PDF (SHA-256)
document-intro = Ce qui est enregistré de ce document. Le PDF n’est pas conservé : une copie se reconnaît à son empreinte.
document-recorded = Ce document
document-its-loan = Voir le prêt
document-its-device = Voir l’appareil
document-its-campaign = Voir la campagne
document-its-lot = Voir le lot
document-its-site = Voir l’établissement
document-signs = Qui signe la convention
document-all-holders = Tous les titulaires de l’autorité parentale
document-one-holder = Le titulaire n° { $value } seulement
document-no-holder = Ce bénéficiaire n’a pas de tel titulaire de l’autorité parentale : complétez son identité ou choisissez « Tous ».
document-not-in-state = Ce prêt n’a pas ce document : un reçu demande un retour, une convention un prêt non annulé.
document-logged = Le document porte des noms : le faire laisse une ligne dans le journal.
document-make-agreement = Établir la convention (PDF)
document-make-receipt = Reçu de restitution (PDF)
document-make-list = Liste des prêts en cours (PDF)
document-with-names = Avec le nom des bénéficiaires (laisse une ligne dans le journal)
labels-of-site = Étiquettes de ses appareils
labels-title = Étiquettes
labels-intro = Chaque étiquette porte le code de l’appareil en clair, en code-barres et en code QR.
labels-which = Quels appareils
labels-codes = Codes d’étiquette
labels-codes-hint = Un par ligne, ou une plage : CD72-0001..CD72-0040
labels-or = Ou, si la liste est vide, les appareils d’un établissement ou d’une recherche :
labels-search = Recherche
labels-sheets = Sur quelles planches
labels-format = Format
labels-start = Première place libre
labels-start-hint = 1 pour une planche neuve ; on compte de gauche à droite
labels-most = { $count ->
    [one] { $count } étiquette au plus à la fois.
   *[other] { $count } étiquettes au plus à la fois.
}
labels-make = Établir les étiquettes (PDF)
labels-problem-empty = Donnez des codes, un établissement ou une recherche.
labels-problem-nothing = Aucun appareil ne correspond.
labels-problem-many = Trop d’étiquettes à la fois : faites plusieurs documents.
labels-problem-unknown = Aucun appareil de vos établissements ne porte ces codes, ou plusieurs les portent : { $value }.
labels-problem-range = « { $value } » n’est pas une plage : les deux bouts ont les mêmes lettres et autant de chiffres.
labels-problem-start = { $count ->
    [one] Cette planche n’a que { $count } place.
   *[other] La première place va de 1 à { $count } sur cette planche.
}
sheet-l7160 = Avery L7160 : 21 étiquettes, 63,5 × 38,1 mm
sheet-70x37 = 24 étiquettes bord à bord, 70 × 37 mm
sheet-l7651 = Avery L7651 : 65 étiquettes, 38,1 × 21,2 mm
sheet-l4731 = Avery L4731 : 189 étiquettes, 25,4 × 10 mm (code QR seul)
