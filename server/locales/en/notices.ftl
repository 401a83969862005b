# E-mails, jobs and webhooks.

notices-title = E-mails
notices-intro = One e-mail per recipient and run. Addresses are not kept here.
notices-waiting = { $count ->
    [one] { $count } notice waits.
   *[other] { $count } notices wait.
}
notices-states = State of the e-mails
notices-counted = { $one } ({ $two })
notices-none = No e-mail in this state.
notices-caption = E-mails, newest first
notices-recipient = Recipient
notices-nobody = Unknown
notices-state = State
notices-count = Notices
notices-made = Made
notices-error = Last trouble

message-waiting = Waiting
message-sending = Sent without an answer
message-sent = Sent
message-failed = Failed
message-bounced = Bounced
message-cancelled = No longer needed

recipient-borrower = Borrower
recipient-referent = Referent
recipient-person = Person

notice-loan_due = Return due
notice-campaign = Return campaign
notice-handed_over = Hand-over
notice-returned = Return
notice-unreachable = Family to be told

notice-no-address = No e-mail address is known: complete the record, then send again.
notice-malformed-address = The e-mail address is not valid: correct it on the record, then send again.
dropped-loan_ended = The loan has ended
dropped-due_changed = The date has changed
dropped-superseded = A later reminder takes its place
dropped-expired = Too late
dropped-recipient_gone = The recipient is gone
dropped-not_expected = The campaign does not expect it any more

message-title = E-mail
message-about = What it is about
message-device = Device
message-reason = Reason
message-due = Due on
message-left-out = Left out
message-way = Its way
message-attempts = Attempts
message-next = Next attempt
message-finished = Ended
message-bounce = Did this e-mail come back?
message-bounce-reason = Reason
message-bounce-hint = without an address
message-bounce-send = Note that it came back
message-again = Send again
message-again-what = Was the address corrected? The e-mail leaves again with what is still true.
message-again-send = Send again

jobs-title = Jobs
jobs-job = Job
jobs-begun = Last begun
jobs-succeeded = Last ended well
job-flag_sweep = Flags
job-history_months = History by month
job-retention = Forgetting
job-identity_erasure = Forgetting borrowers
job-notices = E-mails
job-webhooks = Webhooks
job-well = Runs
job-missed = Missed
job-never = Never ran
jobs-alarm = A job has stopped or fails: e-mails may not leave.
jobs-alarm-see = See the jobs

webhooks-title = Webhooks
webhooks-none = No other system is told.
webhooks-target = Target
webhooks-events = Events
webhooks-waiting = Waiting
webhooks-given-up = Given up
webhook-told = Told
webhook-failing = Events given up
webhook-disabled = Stopped
webhook-all-events = All
