//! Starting and stopping: signals, cancellation, the tasks to wait for.
