# The list of devices.

devices-title = Devices
devices-found = { $count ->
    [one] { $count } device
   *[other] { $count } devices
}
devices-search = Search
devices-search-hint = Serial, model, tag, school…
devices-none = No device matches.
devices-caption = Devices, sorted by { $value }
devices-serial = Serial number
devices-model = Model
devices-site = Site
devices-status = Status
devices-flags = Flags
devices-flag = Flag
devices-severity = Level
devices-archived = Archive
devices-contact = Last contact
archived-without = Excluded
archived-only = Only
archived-all = Included
archived = Archived
sorted-serial = serial number
sorted-model = model
sorted-site = site
sorted-severity = severity
sorted-contact = last contact
no-site = No site
no-flag = None
unknown-model = Unknown model
site-place = { $one } · { $two }
site-named = { $one } ({ $two })
csv-asset-tag = Asset tag
csv-uai = UAI
