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

# One order to all laptops of a list.

orders-many = Orders to these laptops
orders-which = Order
orders-which-hint = An agent’s log is ordered on its device’s page: it is a look at one laptop, not at a fleet.
orders-due-by = Due until
orders-due-by-hint = For a return notice; without a day, every loan that has a day of return. Each notice names its own loan’s.
orders-place-hint = For a return notice; without a place, the name of each one’s site.
orders-preview = See what would happen
orders-would = Would get the order: { $one } of { $two }
orders-did = Ordered: { $one } of { $two }
orders-left = Left out
orders-left-line = { $one } · { $two }
orders-nobody = No laptop would get the order.
orders-too-many = At most 1,000 devices are ordered at once: narrow the filter, by a site or a model, or ask the administrators.
orders-no-log = An agent’s log is ordered on its device’s page, not of many.
orders-too-much = A day and a place go with a return notice alone.
orders-place-wrong = The place has at most 80 characters, without < and >.
left-out-not_in_service = Not in service, or in the archive
left-out-no_agent = No agent speaks for the device
left-out-already = The same order waits already
left-out-not_lent = Not lent: nobody would read the notice
left-out-other_day = Lent without a day of return that a notice could name
left-out-not_due = Due later
left-out-no_place = Without a site whose name would say where to bring them: give a place
left-out-changed = Changed since the preview
left-out-before = Ordered by this same form before
