# The overview.

overview-title = Overview
overview-summary = { $one } followed, as of { $two }
overview-states = State of the fleet
overview-severity-critical = urgent
overview-severity-warning = to plan for
overview-status-pending = waiting
overview-status-active = in service
overview-status-quarantined = set aside
overview-status-revoked = revoked
overview-status-released = released
overview-archived = archived
overview-waiting = ask to join
overview-todo = What needs a person today
overview-flagged = flagged
overview-todo-all = See all
overview-todo-none = Nothing waits. Have a good day!
overview-heard = Last contacts
heard-fresh = Today or yesterday
heard-week = This week
heard-month = These 30 days
heard-older = Longer ago
heard-never = Never
overview-codes = Open flags
overview-codes-none = No open flag.
overview-hours = Contacts per hour
overview-hours-label = { $count ->
    [one] Contacts in the last hour
   *[other] Contacts per hour, last { $count } hours
}
overview-hours-peak = { $count ->
    [one] at most { $count } contact
   *[other] at most { $count } contacts
}
overview-hour = Hour
overview-check-ins = Contacts
overview-reports = Reports
