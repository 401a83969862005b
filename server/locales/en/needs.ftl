# What sites need.

nav-needs = Needs
needs-title = Needs
needs-intro = What sites ask for, one device a need. Reasons are codes: never text about a child.
needs-found = { $count ->
    [one] { $count } need
   *[other] { $count } needs
}
needs-none = No need matches.
needs-caption = Needs, newest first
needs-totals = Totals by site and programme
need-new = Enter needs
need-enter = Enter
need-entered = Entered
need-withdraw = Withdraw
need-nothing-to-choose = A site and an open programme are needed first.
need-state-label = State
need-state-open = Waiting
need-state-met = Met
need-state-withdrawn = Withdrawn
need-level-label = Level
need-level-6e = 6e
need-level-5e = 5e
need-level-4e = 4e
need-level-3e = 3e
need-level-ulis = ULIS
need-level-segpa = SEGPA
need-level-staff = Staff
need-level-other = Other
need-reason-label = Priority reasons
need-reason-ulis = Pupil of an ULIS
need-reason-no_computer = No computer at home
need-reason-shared = Computer shared by siblings
need-reason-band_1 = Scholarship, band 1
need-reason-band_2 = Scholarship, band 2
need-reason-band_3 = Scholarship, band 3
need-reason-replacement = Replaces a device that broke, was lost or stolen
need-no-reason = None
need-not-said = Not said
need-home = At home
need-band = Scholarship
need-borrower = Borrower’s reference
need-borrower-hint = Optional, such as B-7K3M-Q2ZD
need-count = Number
need-count-hint = Several needs alike, without a reference
need-problem-site = Choose one of your sites.
need-problem-programme = Choose an open programme.
need-problem-borrower = No borrower of this site has this reference.
need-problem-count = Enter 1 to 500 needs at once, one only with a reference.
need-problem-form = One of the choices does not exist, or two exclude each other.
need-change = Change
need-change-title = Change a need
need-problem-not-open = The need is no longer open.
need-problem-proposed = A proposal that waits for approval gives this need a device: its programme stays until that is decided.
