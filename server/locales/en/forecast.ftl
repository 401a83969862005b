# Units that will be ready by a day.

nav-forecast = Forecast
forecast-title = Forecast of ready units
forecast-intro = A thousand possible futures are played from today’s loans, workshop, pace and parts. Nothing is changed by asking.
forecast-ready = Ready
forecast-ready-donate = to donate
forecast-ready-lend = to lend
forecast-target = How many
forecast-by = By
forecast-seed = Seed
forecast-seed-hint = the same one gives the same answer
forecast-ask = Forecast
forecast-answer = Answer
forecast-chance = Chance
forecast-now = Ready today
forecast-wanted = wanted: { $value }
forecast-chart = Units ready, from today to { $value }
forecast-chart-ends = On the last day, nine futures in ten lie between { $one } and { $two }.
forecast-chart-middle = The middle one: { $value }.
forecast-key-outer = nine futures in ten
forecast-key-inner = one in two
forecast-key-middle = the middle one
forecast-key-target = wanted
forecast-table = The figures, week by week
forecast-day = Day
forecast-below = { $value }% below
forecast-limits = What holds it up
forecast-limits-how = Each line takes one limit away from the first hundred futures: hands without end, loans that all come back on their day, parts ordered today.
forecast-limits-now = With all limits, in the same hundred: { $one }, the middle one { $two }.
forecast-without = Without this limit
forecast-middle = Units, the middle one
forecast-bottleneck = bottleneck
forecast-parts = Parts to order
forecast-parts-none = The shelf suffices for the units that are expected by then.
forecast-quantity = To order
forecast-on-shelf = On the shelf for this model
forecast-price-all = Total (€)
forecast-price-estimated = estimated price
forecast-other-models = other models
forecast-rests = What it rests on
forecast-rests-units = { $count ->
    [one] { $count } unit that may become ready
   *[other] { $count } units that may become ready
}
forecast-rests-returns = { $count ->
    [one] { $count } return seen
   *[other] { $count } returns seen
}
forecast-rests-orders = { $count ->
    [one] { $count } work order closed
   *[other] { $count } work orders closed
}
forecast-rests-pace = bench: { $one } minutes a working day; days on which its pace could be seen: { $two }
forecast-rests-runs = { $one } futures, seed { $two }
forecast-more = There are more units than one forecast looks at: the answer is too low.
forecast-not-known = Where little was seen, the policy’s assumptions stand in (section [forecast] of policy.toml). Not foreseen: orders of parts on their way, parts taken from other units, campaigns not started yet, units handed over before that day.
forecast-problem-ready = Ready to donate, or to lend.
forecast-problem-target = How many: a whole number from 1 to 100,000.
forecast-problem-by = By: a day after today, within a year.
forecast-problem-seed = The seed is a whole number.
parts-wanting = Part to order: missing on the benches today
parts-wanting-line = { $one } × { $two }
parts-forecast = What will be missing by a day: see the forecast
parts-wanting-none = Nothing is missing.
