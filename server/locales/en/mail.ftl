# The e-mails to families, sites and people.

greeting = Hello,
closing-family = If there is a difficulty, speak to your school or answer this message.
closing-site = Please pass on to those concerned what concerns them.
automatic = Sent by Cartable, which keeps track of lent devices. It holds no borrower's name.

subject-due-on = { $count ->
    [one] Lent device: to be returned on { $date }
   *[other] { $count } lent devices: to be returned on { $date }
}
subject-due = { $count ->
    [one] Lent device: day of return
   *[other] { $count } lent devices: days of return
}
subject-overdue = { $count ->
    [one] Lent device: return overdue
   *[other] { $count } lent devices: return overdue
}
subject-campaign = { $count ->
    [one] Returning your lent device
   *[other] Returning { $count } lent devices
}
subject-unreachable = { $count ->
    [one] A family to be told
   *[other] { $count } loans: families to be told
}
subject-handed-over = { $count ->
    [one] A lent device was handed over
   *[other] { $count } lent devices were handed over
}
subject-returned = { $count ->
    [one] Return recorded
   *[other] Return of { $count } devices recorded
}
subject-several = Lent devices: { $count } pieces of news
subject-test = Cartable: test message

about-due = { $count ->
    [one] A device that is lent to you, or that your school answers for, is to be returned:
   *[other] Devices that are lent to you, or that your school answers for, are to be returned:
}
about-overdue = { $count ->
    [one] A device should already have been returned. Please bring it back as soon as you can, or tell us what prevents it:
   *[other] Devices should already have been returned. Please bring them back as soon as you can, or tell us what prevents it:
}
about-campaign = { $title }: { $count ->
    [one] the following device is to be brought back
   *[other] the following devices are to be brought back
} between { $first } and { $last }. Place: { $place }.
about-unreachable = { $count ->
    [one] The borrower of this loan has no e-mail address that works. Please tell them:
   *[other] The borrowers of these loans have no e-mail address that works. Please tell them:
}
about-handed-over = { $count ->
    [one] This device was handed over:
   *[other] These devices were handed over:
}
about-returned = { $count ->
    [one] This device was returned. Thank you.
   *[other] These devices were returned. Thank you.
}
about-test = This message proves that Cartable can send e-mails through this server.

device = Device
mark-label = label { $value }
mark-serial = serial number { $value }
line-due = , to be returned on { $date }
line-missing = . Missing: { $what }

table-label = Label
table-serial = Serial number
table-due = Due on
table-borrower = Borrower

weekday-1 = Monday
weekday-2 = Tuesday
weekday-3 = Wednesday
weekday-4 = Thursday
weekday-5 = Friday
weekday-6 = Saturday
weekday-7 = Sunday

month-1 = January
month-2 = February
month-3 = March
month-4 = April
month-5 = May
month-6 = June
month-7 = July
month-8 = August
month-9 = September
month-10 = October
month-11 = November
month-12 = December
