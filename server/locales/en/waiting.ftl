# Requests to join: machines that wait for a person.

waiting-title = Requests to join
waiting-intro = These machines asked to join the fleet and wait for your approval. Choose some, see what would happen, then decide.
waiting-found = { $count ->
    [one] { $count } request
   *[other] { $count } requests
}
waiting-none = No machine waits.
waiting-caption = Requests to join, oldest first
waiting-machine = Machine
waiting-why = Why it waits
waiting-effect = If you let it in
waiting-since = Asking since
waiting-last-asked = last asked on { $value }
waiting-lapses = { $count ->
    [one] lapses within { $count } day unless it asks again
   *[other] lapses within { $count } days unless it asks again
}
waiting-no-serial = Without a serial number
waiting-token = Token “{ $value }”
waiting-lost-key = It names the lost key of { $value }; that proves nothing
waiting-lost-key-elsewhere = It names the lost key of a device of another site; that proves nothing
waiting-state = { $one } · { $two }
waiting-heard = last contact
waiting-never-heard = never any contact
waiting-effect-new = A new device joins the fleet
waiting-effect-first = The device { $value } gets its first key
waiting-effect-replaces = The key of the device { $value } is replaced
waiting-effect-renews = The device { $value } gets another certificate for its key
waiting-lifts-quarantined = This device was set aside: your approval puts it back in service.
waiting-lifts-revoked = This device is revoked: your approval lifts that and puts it back in service.
waiting-lifts-released = This device had left the programme: your approval puts it back in service.
waiting-preview-chosen = See what would happen
waiting-preview-page = See for the whole page
waiting-preview-title = Before you decide
waiting-preview-intro = Nothing is done yet. This is exactly what your approval would do.
waiting-preview-summary = { $one } of { $two } can join
waiting-decided-intro = Only a part could be done. Nothing is lost: what still waits is in the list.
waiting-decided-summary = { $one } of { $two } done
waiting-outcome = Result
waiting-possible = Can join
waiting-already-explained = Somebody decided meanwhile.
waiting-approve = Let in
waiting-refuse = Refuse
waiting-refuse-reason = Why it is refused
waiting-refuse-hint = It stands in the audit. The machine stays refused with its key; a new enrolment asks again.
waiting-none-chosen = Choose at least one machine.
waiting-too-many = At most 100 machines are decided about at once.
waits-for-replacement = Device known already
waits-for-unlisted_serial = Serial number not recorded
waits-for-spent_token = Token used up or expired
waits-for-other_site = Recorded at another site than the token’s
waits-for-recovery = Certificate ended long ago, or too often
waits-for-cloned_key = Key of another machine
hindrance-given_away = This device was given away: it is in the fleet no more.
hindrance-elsewhere = This machine is a device of another site, which you do not see.
hindrance-twice = Another machine of this selection says that it is the same device: decide about each by itself.
hindrance-serial_taken = The device would get the serial number of another device: correct one of the two first, or refuse the machine.
decided-approved = Let in
decided-refused = Refused
decided-already = Decided already
decided-changed = Something changed since the preview
decided-impossible = Cannot join
