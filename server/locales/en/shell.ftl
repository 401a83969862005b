# The frame of pages, signing in, errors, common words.

skip-to-content = Skip to content
nav-label = Main navigation
nav-pages = Pages of this part
nav-fleet = Fleet
nav-lending = Lending
nav-running = Running it
nav-overview = Overview
nav-devices = Devices
nav-flags = To handle
nav-tokens = Enrolment tokens
nav-waiting = Requests to join
nav-exports = Exports
nav-imports = Imports
nav-borrowers = Borrowers
nav-programmes = Programmes
nav-notices = E-mails
nav-audit = Audit
language-name = English
sign-out = Sign out
footer = Cartable measures hardware health alone: no location, no files, no browsing, not what somebody does nor for how long. The server does see when a laptop reports.
sign-in-title = Sign in
sign-in-intro = The health of the lent laptops.
sign-in-login = Login
sign-in-password = Password
sign-in-send = Sign in
sign-in-wrong = The login or the password is wrong.
sign-in-throttled = { $count ->
    [one] Too many attempts. Try again in { $count } second.
   *[other] Too many attempts. Try again in { $count } seconds.
}
sign-in-busy = The server is busy. Try again in a moment.
error-home = Back to the overview
error-status = Error { $value }
error-title-nonsense = This request makes no sense
error-title-forbidden = Not allowed
error-title-not-found = Page not found
error-title-busy = The server is busy
error-title-broken = Server error
error-what-nonsense = The address or the form holds an unknown value. Start again from the list.
error-what-forbidden = Your role does not allow this. Ask an administrator.
error-what-not-found = This address leads to nothing that you can see.
error-what-busy = The database does not answer fast enough. Try again in a moment; nothing was changed.
error-what-broken = Something went wrong on our side. Nothing was changed. If it happens again, tell the person who runs the server.
any = Any
filter = Filter
filter-none = Show all
save = Save
reason = Reason
first-page = First page
next-page = Next page
pages-label = Pages
more-than = More than { $value }
as-table = Show the table
never = Never
none = None
absent = absent
not-read = Not read
done-saved = Saved.
done-token-revoked = The token is revoked.
moment-exact = { $one }, { $two }
moment-now = just now
minutes-ago = { $count ->
    [one] { $count } minute ago
   *[other] { $count } minutes ago
}
hours-ago = { $count ->
    [one] { $count } hour ago
   *[other] { $count } hours ago
}
days-ago = { $count ->
    [one] { $count } day ago
   *[other] { $count } days ago
}
minutes-ahead = { $count ->
    [one] in { $count } minute
   *[other] in { $count } minutes
}
hours-ahead = { $count ->
    [one] in { $count } hour
   *[other] in { $count } hours
}
days-ahead = { $count ->
    [one] in { $count } day
   *[other] in { $count } days
}
hours = { $count ->
    [one] { $count } hour
   *[other] { $count } hours
}
seconds = { $count ->
    [one] { $count } second
   *[other] { $count } seconds
}
