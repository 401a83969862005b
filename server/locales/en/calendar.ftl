# School calendar.

nav-calendar = School calendar
calendar-title = School calendar
calendar-explained = Holidays are no silence: without school there are no alarms and no reminders. The program knows the years 2025-26 and 2026-27; later ones come from the Ministry’s iCalendar files (education.gouv.fr).
calendar-until = Known until
calendar-imported = Days without school, as imported
calendar-none = Nothing was imported.
calendar-caption = Days without school as imported, by zone and date
calendar-holiday = Holidays
calendar-days = Days
calendar-source = File
calendar-from-to = from { $one } to { $two }
calendar-import = Import a file of the Ministry
calendar-file = File
calendar-file-hint = .ics, at most 1 MiB
calendar-of = Zone of the file
calendar-of-hint = A national file names the zone of each stretch
calendar-all-zones = All that the file names
calendar-look = See what would change
calendar-preview = What would change
calendar-zone-year = Zone { $one }, year { $two }
calendar-what = Effect
calendar-change-new = New
calendar-change-moved = Moved
calendar-change-same = Imported already
calendar-change-gone = Taken away
calendar-before = was: { $value }
calendar-count-new = { $count ->
    [one] { $count } new stretch
   *[other] { $count } new stretches
}
calendar-count-moved = { $count ->
    [one] { $count } moved
   *[other] { $count } moved
}
calendar-count-same = { $count ->
    [one] { $count } imported already
   *[other] { $count } imported already
}
calendar-count-gone = { $count ->
    [one] { $count } taken away
   *[other] { $count } taken away
}
calendar-keep = Save this calendar
calendar-keep-hint = Alarms, reminders and suggested due dates follow it at once.
calendar-nothing-new = This file changes nothing: all of it was imported already.
calendar-no-file = Choose a file.
calendar-line = Line { $one }: { $two }
calendar-fault-too-large = the file is larger than 1 MiB, this is no school calendar.
calendar-fault-no-calendar = this is no iCalendar file (.ics), which begins with BEGIN:VCALENDAR.
calendar-fault-cut-off = the file is incomplete. Download it again.
calendar-fault-not-begun = a stretch ends that did not begin.
calendar-fault-repeats = a stretch that repeats is none of the Ministry’s calendar.
calendar-fault-no-whole-day = “{ $value }” is not a whole day.
calendar-fault-no-first-day = “{ $value }” has no first day.
calendar-fault-backwards = “{ $value }” ends before it begins.
calendar-fault-too-long = “{ $value }” lasts more than 75 days: a date is wrong.
calendar-fault-no-holidays = no holidays for zone { $value } in this file.
