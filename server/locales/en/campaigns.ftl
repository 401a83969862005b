# Return campaigns.

nav-campaigns = Campaigns
campaigns-title = Return campaigns
campaigns-intro = Taking many devices back in a few days: who, when, at which desk, and what is still missing.
campaigns-none = No campaign.
campaigns-caption = Campaigns, newest first
campaign-new = Plan a campaign
campaign-plan = Plan
campaign-name = Name
campaign-days = Days
campaign-first = First day
campaign-last = Last day
campaign-window = { $one } to { $two }
campaign-leaving = Only pupils who leave: 3e, or site left already
campaign-desks = Desks at each site
campaign-slots = Returns per desk and day
campaign-own-desks = Desks of one site
campaign-set-desks = Save the desks
campaign-run = Course
campaign-start = Start
campaign-start-hint = Each chosen loan gets a day and a desk, and its borrower a letter. Nobody comes on a day without school.
campaign-close = Close the campaign
campaign-progress = Progress by site
campaign-state-planned = Planned
campaign-state-running = Running
campaign-state-closed = Closed
campaign-loans = { $count ->
    [one] { $count } loan
   *[other] { $count } loans
}
campaign-loans-title = Loans of the campaign
campaign-loans-none = No loan in this state.
campaign-day = Appointment
campaign-due = Due
campaign-desk-slot = desk { $one }, no. { $two }
campaign-excuse = Excuse
campaign-problem-name = Give a name of 1 to 80 characters.
campaign-problem-window = The last day comes after the first.
campaign-problem-too-long = A campaign lasts 366 days at most: choose an earlier last day.
campaign-problem-past = The campaign's last day is past: choose other days before you start it.
campaign-problem-desks = 1 to 20 desks, 1 to 1,000 returns a day each.
campaign-problem-choice = One of the choices does not exist.
campaign-problem-not-planned = The campaign has started already.
campaign-problem-no-loans = No open loan fits the choice, or another campaign expects all of them already.
campaign-problem-too-few = { $one }: { $two } places are missing. Add a desk or days.
return-expected = Expected
return-returned = Returned
return-overdue = Overdue
return-excused = Excused
return-ended = Lost, stolen, gone
campaign-open-flags = Open flags
csv-desk = Desk
csv-slot = Number at the desk
campaign-choice-hint = Which loans to take back. A list in which nothing is ticked takes all of them.
campaign-choose = Choose
campaign-programmes = Programmes
campaign-levels = Levels
campaign-sites = Sites
campaign-of-sites = { $count ->
    [one] { $count } site
   *[other] { $count } sites
}
campaign-no-contact = None expected
campaign-leaving-only = pupils who leave
campaign-edit = Change
campaign-save = Save
campaign-drop = Give the campaign up
campaign-write-again = Write again to those still expected
campaign-write-again-hint = A reminder by e-mail to borrowers whose device has not come back, once a day at most. Those whose earlier letter has not left yet get no other.
campaign-expect = Expect again
campaign-letters = Letters to print
campaign-letters-hint = One page for each device still expected, in the borrower’s language: for families without e-mail.
campaign-letters-make = Letters (PDF)
campaign-problem-not-running = The campaign does not run.
campaign-problem-written-today = Those still expected were written to today already.
campaign-problem-over = The campaign’s last day has passed: reminders of due loans go on.
campaign-problem-no-letters = No device is expected here any more.
