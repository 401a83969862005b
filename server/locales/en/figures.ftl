# The figures of a year; the sentences themselves come from domain/figures/said.rs.
nav-figures = Figures
figures-of = Figures { $value }
figures-list-title = { $one } · { $two }
figures-report-pdf = Report (PDF)
figures-report-xlsx = Workbook (XLSX)
figures-main = Main figures
figures-year = Year
figures-show = Show
figures-number = Figure
figures-devices = Devices
figures-how = How it is counted, and what is in it
figures-part = – { $one }: { $two }
figures-models = Yield and cost by model
figures-no-models = No order was closed in that year.
figures-model-unknown = Model not known
figures-orders = Orders
figures-relend = To lend again
figures-donate = To donate
figures-parts = For parts
figures-recycle = To recycle
figures-yield = Yield
figures-cost = Cost of each that is fit for use
figures-limits = To be read with these figures
figures-fingerprint = Fingerprint of the figures:
figures-no-target = No target for that year
figures-target-undefined = Target { $value }, share not defined
figures-target-reached = Target { $value } reached
figures-target-missed = Target { $value } not reached
figures-list-none = No device.
figures-day = Day
figures-event = Event
figures-age = Age
figures-cost-of-order = Cost
figures-left-out = Not counted: { $value }
figures-reformed-on = Reformed on { $value }
figures-bought = Bought: { $value }
figures-minutes =
    { $count ->
        [one] { $count } minute on the bench
       *[other] { $count } minutes on the bench
    }
