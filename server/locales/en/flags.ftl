# Flags.

flags-title = Flags to handle
flags-found = { $count ->
    [one] { $count } flag
   *[other] { $count } flags
}
flags-none = No flag matches.
flags-caption = Flags, worst then newest first
flags-severity = Level
flags-what = Flag
flags-device = Device
flags-handling = Handling
flags-code = Flag
handling-waiting = Waiting for a person
handling-acknowledged = Acknowledged
handling-snoozed = Snoozed
handling-all = All open ones
flag-about = { $one } · { $two }
flag-since = Since
flag-value = Value
flag-threshold = Threshold
flag-source = Source of the threshold
flag-measured = Measured
flag-missing = What is missing
flag-handle = Handle
flag-how = How
flag-acknowledge = Acknowledge
flag-snooze = { $count ->
    [one] Snooze for { $count } day
   *[other] Snooze for { $count } days
}
flag-acknowledged = Acknowledged
flag-snoozed-until = Snoozed until { $value }
flag-remark = { $one } ({ $two })
flag-remark-by = { $one }, { $two }
flag-period = from { $one } to { $two }
flag-past = { $one }, { $two }
