# The audit.

audit-title = Audit
audit-intro = Every change by a person or a job. The rows are chained by hashes: “cartable-server audit verify” checks it.
audit-none = The audit is empty.
audit-caption = Acts, newest first
audit-seq = No.
audit-actor = Who
audit-action = Act
audit-object = Object
audit-details = Details
