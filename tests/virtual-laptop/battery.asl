// The battery of the virtual laptop, and its charger, as a school laptop's firmware describes them to the system.
//
// 50 Wh when it was new, 31.25 Wh now (62.5 %), 412 cycles, charged to 64 %, on battery at 8.4 W. `iasl -D WORN` makes one
// that is at its end: 20 Wh of 50 (40 %), 1137 cycles. All by ACPI 6.4, section 10.2: units of mWh and mW (power unit 0).

DefinitionBlock ("", "SSDT", 2, "CARTBL", "LAPTOP", 0x00000001)
{
#ifdef WORN
    Name (FULL, 20000)
    Name (LEFT, 12800)
    Name (CYCL, 1137)
#else
    Name (FULL, 31250)
    Name (LEFT, 20000)
    Name (CYCL, 412)
#endif

    Device (\_SB.BAT0)
    {
        Name (_HID, EisaId ("PNP0C0A"))
        Name (_UID, Zero)
        Name (_PCL, Package () { \_SB })

        // Present, enabled, shown, working, and a battery is in the bay.
        Method (_STA) { Return (0x1F) }

        Method (_BIX)
        {
            Return (Package ()
            {
                0,                  // revision
                0,                  // power unit: mWh
                50000,              // design capacity
                FULL,               // last full charge
                One,                // rechargeable
                11400,              // design voltage, mV
                2500,               // warning
                1000,               // low
                CYCL,               // cycles
                95000,              // accuracy, thousandths of a percent
                0xFFFFFFFF,         // sampling times and averaging intervals: not told
                0xFFFFFFFF,
                0xFFFFFFFF,
                0xFFFFFFFF,
                100,                // granularity
                100,
                "5B10W13975",       // model
                "1409",             // serial number
                "LiP",              // chemistry
                "SMP"               // maker
            })
        }

        Method (_BST)
        {
            // Discharging, rate, what is left, voltage.
            Return (Package () { One, 8400, LEFT, 11550 })
        }
    }

    Device (\_SB.ADP0)
    {
        Name (_HID, "ACPI0003")
        Name (_PCL, Package () { \_SB })
        Method (_PSR) { Return (Zero) }
    }
}
