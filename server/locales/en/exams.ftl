# Exams, and what the family reads on the computer.

nav-exams = Exams
exams-title = Exams
exams-explained = During an exam the computers of the chosen sites make no contact with the server and ask none of their drives. They learn of it at their last contact before it begins, and so fall silent a little earlier. A computer that was off until then learns of it by one contact, within a minute of its start.
exams-none = No exam is announced.
exams-found = { $count ->
    [one] { $count } exam
   *[other] { $count } exams
}
exams-caption = Exams under way, then to come, then past
exam-label = Label
exam-label-hint = For example “mock exam, paper 1”
exam-site = Site
exam-everywhere = All sites
exam-begins = Begins
exam-ends = Ends
exam-state = State
exam-state-coming = To come
exam-state-current = Under way
exam-state-past = Past
exam-by = by { $value }
exam-end-now = End now
exam-end-hint = Computers that know the planned end already keep to it.
exam-remove = Remove
exam-new = Announce an exam
exam-new-hint = 12 hours at most: one day of papers at a time. Announce it the day before; all servers heed it within 10 seconds.
exam-day = Day
exam-from = From
exam-to = To
exam-sites = Sites
exam-sites-hint = Without a choice: all sites.
exam-sites-needed = Choose one or several of your sites.
exam-choose = Choose
exam-order = Announce
exam-problem-label = Give a label of 1 to 80 characters.
exam-problem-time = Give a day and two times, such as 08:00 and 12:00.
exam-problem-left-out = This time does not exist: summer time begins that night, from 02:00 to 03:00.
exam-problem-backwards = The end comes before the beginning.
exam-problem-too-long = An exam lasts 12 hours at most: announce each day.
exam-problem-past = This exam is over already.
exam-problem-site = One of these sites is not among yours.
disclosure-title = What the family reads
disclosure-explained = Shown on the computer by “What this computer tells”, with the last report that was sent. Set in config.toml, section [documents].
disclosure-organisation = Who
disclosure-organisation-none = What was said at the installation, else “the body that lends this computer”
disclosure-contact = Whom to write to
disclosure-contact-none = What was said at the installation, else “whoever handed the computer over, or the school”
disclosure-until = Until when
disclosure-until-none = As long as the computer is lent
