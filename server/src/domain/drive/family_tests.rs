//! Drives of many families as smartctl prints them, judged by what their values mean. Names and forms of attributes are
//! those of smartmontools' database (drivedb.h of 7.3) and of its built-in defaults; the values are made up.

use cartable_common::smartctl;
use serde_json::{Value, json};

use super::{
    Verdict::{Failing, Healthy, Unknown, Worn},
    *,
};

/// A drive whose attributes stand in `table`, one a line: id, name, value, threshold, raw.
fn drive(rotation_rate: u64, table: &str) -> Drive {
    let row = |line: &str| -> Value {
        let words: Vec<&str> = line.split_whitespace().collect();
        let number = |place: usize| words[place].parse::<u64>().unwrap();
        let (value, threshold) = (number(2), number(3));
        let failed = if threshold > 0 && value <= threshold { "now" } else { "" };
        json!({"id": number(0), "name": words[1], "value": value, "worst": value, "thresh": threshold,
               "when_failed": failed, "raw": {"value": number(4)}})
    };
    let rows: Vec<Value> = table.lines().filter(|line| !line.trim().is_empty()).map(row).collect();
    let mut drive = Drive::default();
    let answer = json!({"device": {"protocol": "ATA"}, "rotation_rate": rotation_rate, "smart_status": {"passed": true},
                        "ata_smart_attributes": {"table": rows}});
    smartctl::merge(&mut drive, &answer);
    drive
}

/// What is looked at, the verdict it must come to, the reason that must be among its reasons, and its table.
type Case = (&'static str, Verdict, &'static str, &'static str);

fn each(rotation_rate: u64, cases: &[Case]) {
    for (name, verdict, code, table) in cases {
        let judgement = judge(&drive(rotation_rate, table), &Policy::default());
        assert_eq!(judgement.verdict, *verdict, "{name}: {judgement:?}");
        assert!(
            code.is_empty() || judgement.reasons.iter().any(|reason| reason.code == *code),
            "{name}: {judgement:?}"
        );
    }
}

const SOLID_STATE_IN_ORDER: &[Case] = &[
    (
        "Samsung 860 EVO: 195 and 235 are no damage",
        Healthy,
        "",
        "5 Reallocated_Sector_Ct 100 10 0\n177 Wear_Leveling_Count 96 0 71\n179 Used_Rsvd_Blk_Cnt_Tot 100 10 0\n\
         183 Runtime_Bad_Block 100 10 0\n187 Uncorrectable_Error_Cnt 100 0 0\n195 ECC_Error_Rate 200 0 0\n\
         199 CRC_Error_Count 99 0 12\n235 POR_Recovery_Count 99 0 41\n241 Total_LBAs_Written 99 0 30412345678",
    ),
    (
        "Samsung CM871 of laptop makers: wear under 173",
        Healthy,
        "",
        "5 Reallocated_Sector_Ct 100 10 0\n170 Unused_Rsvd_Blk_Ct_Chip 100 10 0\n173 Wear_Leveling_Count 92 5 84\n\
         174 Unexpect_Power_Loss_Ct 99 0 90\n187 Uncorrectable_Error_Cnt 100 0 0\n202 Exception_Mode_Status 100 10 0",
    ),
    (
        "Crucial MX500: 197 flips between 0 and 1 (smartmontools #1227)",
        Healthy,
        "pending_sectors",
        "1 Raw_Read_Error_Rate 100 0 0\n5 Reallocate_NAND_Blk_Cnt 100 10 0\n173 Ave_Block-Erase_Count 95 0 77\n\
         180 Unused_Reserve_NAND_Blk 0 0 45\n187 Reported_Uncorrect 100 0 0\n196 Reallocated_Event_Count 100 0 0\n\
         197 Current_Pending_ECC_Cnt 100 0 1\n198 Offline_Uncorrectable 100 0 0\n\
         202 Percent_Lifetime_Remain 95 1 5\n206 Write_Error_Rate 100 0 0\n246 Total_LBAs_Written 100 0 20123456789",
    ),
    (
        "Intel 545s: 226 counts in 1/1024 of a percent",
        Healthy,
        "",
        "5 Reallocated_Sector_Ct 100 0 0\n170 Available_Reservd_Space 100 10 0\n187 Uncorrectable_Error_Cnt 100 0 0\n\
         226 Workld_Media_Wear_Indic 100 0 65535\n232 Available_Reservd_Space 100 10 0\n\
         233 Media_Wearout_Indicator 97 0 0",
    ),
    (
        "SanDisk X400: 1160, 158, 1160 in one raw value are 11.6 % used",
        Healthy,
        "",
        "5 Reallocated_Sector_Ct 100 0 0\n169 Total_Bad_Block 100 0 321\n173 Avg_Write/Erase_Count 100 0 116\n\
         187 Reported_Uncorrect 100 0 0\n230 Perc_Write/Erase_Count 100 0 4982172419208\n\
         232 Perc_Avail_Resrvd_Space 100 5 100\n234 Perc_Write/Erase_Ct_BC 100 0 4000",
    ),
    (
        "WD Blue SA510: 230 is hexadecimal words, told twice",
        Healthy,
        "",
        "5 Reallocated_Sector_Ct 100 0 0\n165 Block_Erase_Count 100 0 8590000325\n170 Grown_Bad_Blocks 100 0 0\n\
         173 Average_PE_Cycles_TLC 100 0 3\n187 Reported_Uncorrect 100 0 0\n\
         230 Media_Wearout_Indicator 1 0 163210068006\n232 Available_Reservd_Space 100 4 100",
    ),
    (
        "Kingston A400: retirements under 196, some bad blocks from the factory",
        Healthy,
        "",
        "1 Raw_Read_Error_Rate 100 0 100\n148 Unknown_Attribute 100 0 0\n167 Write_Protect_Mode 100 0 0\n\
         169 Bad_Block_Rate 100 0 4\n170 Bad_Blk_Ct_Erl/Lat 100 10 73014444032\n173 MaxAvgErase_Ct 100 0 1114162\n\
         187 Reported_Uncorrect 100 0 0\n196 Reallocated_Event_Count 100 0 0\n218 CRC_Error_Count 100 0 3\n\
         231 SSD_Life_Left 91 0 91\n233 Flash_Writes_GiB 100 0 5012",
    ),
    (
        "SK hynix SC311: life left in 231",
        Healthy,
        "",
        "5 Retired_Block_Count 100 10 0\n173 Wear_Leveling_Count 100 0 22\n180 Erase_Fail_Count 100 0 0\n\
         187 Reported_Uncorrect 100 0 0\n231 SSD_Life_Left 98 0 98\n250 Read_Retry_Count 100 0 31",
    ),
    (
        "Micron 1100: many power losses are the laptop's",
        Healthy,
        "",
        "5 Reallocate_NAND_Blk_Cnt 100 10 0\n173 Ave_Block-Erase_Count 78 0 330\n174 Unexpect_Power_Loss_Ct 100 0 812\n\
         187 Reported_Uncorrect 100 0 0\n198 Offline_Uncorrectable 100 0 0\n202 Percent_Lifetime_Remain 78 1 22",
    ),
    (
        "ADATA SU650 (Silicon Motion): uncorrectable errors under 160",
        Healthy,
        "",
        "5 Reallocated_Sector_Ct 100 50 0\n160 Uncorrectable_Error_Cnt 100 50 0\n161 Valid_Spare_Block_Cnt 100 50 64\n\
         169 Remaining_Lifetime_Perc 100 50 93\n177 Wear_Leveling_Count 100 50 1234\n196 Reallocated_Event_Count 100 16 0",
    ),
    (
        "Seagate BarraCuda SSD: 198 counts reads",
        Healthy,
        "",
        "5 Reallocated_Sector_Ct 100 10 0\n177 Wear_Range_Delta 0 0 90\n198 Uncor_Read_Error_Ct 100 0 0\n\
         231 SSD_Life_Left 94 10 94",
    ),
];

#[test]
fn solid_state_drives_in_order() {
    each(0, SOLID_STATE_IN_ORDER);
}

const SOLID_STATE_WORN: &[Case] = &[
    (
        "Samsung 850 EVO after its rated cycles",
        Worn,
        "wear",
        "5 Reallocated_Sector_Ct 100 10 0\n177 Wear_Leveling_Count 3 0 1952\n187 Uncorrectable_Error_Cnt 100 0 0",
    ),
    (
        "Samsung 870 EVO with a failing chip",
        Worn,
        "uncorrectable_errors",
        "5 Reallocated_Sector_Ct 99 10 37\n177 Wear_Leveling_Count 99 0 9\n183 Runtime_Bad_Block 99 10 37\n\
         187 Uncorrectable_Error_Cnt 99 0 64",
    ),
    (
        "the same, later",
        Failing,
        "uncorrectable_errors",
        "5 Reallocated_Sector_Ct 96 10 127\n177 Wear_Leveling_Count 98 0 15\n187 Uncorrectable_Error_Cnt 98 0 1402",
    ),
    (
        "Crucial MX500 with 8 % left",
        Worn,
        "wear",
        "5 Reallocate_NAND_Blk_Cnt 100 10 1\n187 Reported_Uncorrect 100 0 0\n202 Percent_Lifetime_Remain 8 1 92",
    ),
    (
        "Crucial BX500 below its maker's threshold",
        Failing,
        "below_threshold",
        "5 Reallocate_NAND_Blk_Cnt 100 10 0\n187 Reported_Uncorrect 100 0 0\n202 Percent_Lifetime_Remain 0 1 100",
    ),
    (
        "Intel S3500 at the end",
        Worn,
        "wear",
        "5 Reallocated_Sector_Ct 100 0 0\n187 Uncorrectable_Error_Cnt 100 0 0\n233 Media_Wearout_Indicator 1 0 0",
    ),
    (
        "Intel with its spare blocks used up",
        Failing,
        "below_threshold",
        "5 Reallocated_Sector_Ct 98 0 30\n187 Uncorrectable_Error_Cnt 100 0 0\n232 Available_Reservd_Space 9 10 0\n\
         233 Media_Wearout_Indicator 60 0 0",
    ),
    (
        "SanDisk X400 at 89.5 %",
        Worn,
        "wear",
        "5 Reallocated_Sector_Ct 100 0 0\n187 Reported_Uncorrect 100 0 0\n\
         230 Perc_Write/Erase_Count 100 0 38439963861750",
    ),
    (
        "SanDisk of servers: a life that is used",
        Worn,
        "wear",
        "173 Percent_Life_Used 100 0 96\n187 Reported_Uncorrect 100 0 0",
    ),
    (
        "Kingston A400 with 6 % left",
        Worn,
        "wear",
        "187 Reported_Uncorrect 100 0 0\n196 Reallocated_Event_Count 100 0 0\n231 SSD_Life_Left 6 0 6",
    ),
    (
        "Silicon Motion with unreadable data",
        Worn,
        "uncorrectable_errors",
        "5 Reallocated_Sector_Ct 100 50 0\n160 Uncorrectable_Error_Cnt 100 50 3\n169 Remaining_Lifetime_Perc 100 50 97",
    ),
];

#[test]
fn solid_state_drives_that_are_worn_or_at_risk() {
    each(0, SOLID_STATE_WORN);
}

const SOLID_STATE_UNKNOWN: &[Case] = &[
    (
        "Toshiba HG6: no life, no uncorrectable errors",
        Unknown,
        "",
        "5 Reallocated_Sector_Ct 100 50 0\n9 Power_On_Hours 100 0 9000\n167 SSD_Protect_Mode 100 0 0\n\
         169 Bad_Block_Count 100 10 0\n173 Erase_Count 199 0 0",
    ),
    (
        "a drive that smartctl does not know: 202 and 231 have a disk's names",
        Unknown,
        "",
        "5 Reallocated_Sector_Ct 100 50 0\n187 Reported_Uncorrect 100 0 0\n202 Data_Address_Mark_Errs 4 0 96\n\
         231 Temperature_Celsius 4 0 4",
    ),
    (
        "another one: 0 is no value of a wearout indicator",
        Unknown,
        "",
        "5 Reallocated_Sector_Ct 100 50 0\n187 Reported_Uncorrect 100 0 0\n233 Media_Wearout_Indicator 0 0 5012",
    ),
    (
        "SanDisk with a raw value that does not tell twice",
        Unknown,
        "",
        "5 Reallocated_Sector_Ct 100 0 0\n187 Reported_Uncorrect 100 0 0\n\
         230 Perc_Write/Erase_Count 100 0 38439963861751",
    ),
];

#[test]
fn solid_state_drives_of_which_too_little_is_known() {
    each(0, SOLID_STATE_UNKNOWN);
}

const DISKS_IN_ORDER: &[Case] = &[
    (
        "Seagate ST1000LM035: rates and words packed in 1, 7, 188, 190, 240",
        Healthy,
        "",
        "1 Raw_Read_Error_Rate 83 6 206214120\n3 Spin_Up_Time 99 0 0\n5 Reallocated_Sector_Ct 100 36 0\n\
         7 Seek_Error_Rate 86 45 438190331\n10 Spin_Retry_Count 100 97 0\n184 End-to-End_Error 100 99 0\n\
         187 Reported_Uncorrect 100 0 0\n188 Command_Timeout 100 0 12885098501\n\
         190 Airflow_Temperature_Cel 62 40 638058534\n191 G-Sense_Error_Rate 92 0 16990\n\
         193 Load_Cycle_Count 1 0 285120\n197 Current_Pending_Sector 100 0 0\n\
         198 Offline_Uncorrectable 100 0 0\n199 UDMA_CRC_Error_Count 200 0 2\n240 Head_Flying_Hours 100 0 76957421213696",
    ),
    (
        "WD10SPZX: parked far beyond its rating",
        Healthy,
        "",
        "1 Raw_Read_Error_Rate 200 51 5\n5 Reallocated_Sector_Ct 200 140 0\n10 Spin_Retry_Count 100 0 0\n\
         193 Load_Cycle_Count 1 0 912345\n196 Reallocated_Event_Count 200 0 0\n197 Current_Pending_Sector 200 0 0\n\
         198 Offline_Uncorrectable 100 0 0\n200 Multi_Zone_Error_Rate 100 0 0",
    ),
    (
        "Toshiba MQ01ABF050: no 187",
        Healthy,
        "",
        "1 Raw_Read_Error_Rate 100 50 0\n5 Reallocated_Sector_Ct 100 50 0\n10 Spin_Retry_Count 156 30 0\n\
         191 G-Sense_Error_Rate 100 0 1201\n197 Current_Pending_Sector 100 0 0\n198 Offline_Uncorrectable 100 0 0\n\
         220 Disk_Shift 100 0 0\n222 Loaded_Hours 88 0 4921\n240 Head_Flying_Hours 100 1 0",
    ),
    (
        "Fujitsu: 5 holds its spare sectors in the upper words",
        Healthy,
        "",
        "5 Reallocated_Sector_Ct 100 24 8589934592000\n196 Reallocated_Event_Count 100 0 425459712\n\
         197 Current_Pending_Sector 100 0 0\n198 Offline_Uncorrectable 100 0 0",
    ),
];

#[test]
fn disks_in_order() {
    each(5400, DISKS_IN_ORDER);
}

const DISKS_WORN: &[Case] = &[
    (
        "Seagate with errors that reached the system",
        Failing,
        "uncorrectable_errors",
        "5 Reallocated_Sector_Ct 100 36 0\n187 Reported_Uncorrect 88 0 12\n197 Current_Pending_Sector 100 0 0\n\
         198 Offline_Uncorrectable 100 0 0",
    ),
    (
        "WD with sectors that wait",
        Failing,
        "pending_sectors",
        "5 Reallocated_Sector_Ct 200 140 0\n197 Current_Pending_Sector 200 0 3\n198 Offline_Uncorrectable 100 0 0",
    ),
    (
        "Toshiba with a handful of reallocated sectors",
        Worn,
        "reallocated_sectors",
        "5 Reallocated_Sector_Ct 100 50 8\n197 Current_Pending_Sector 100 0 0\n198 Offline_Uncorrectable 100 0 0",
    ),
    (
        "HGST whose raw value is 0 while the normalised one is below the threshold",
        Failing,
        "below_threshold",
        "5 Reallocated_Sector_Ct 4 5 0\n197 Current_Pending_Sector 100 0 0\n198 Offline_Uncorrectable 100 0 0",
    ),
    (
        "Seagate whose data was altered on the way",
        Failing,
        "below_threshold",
        "5 Reallocated_Sector_Ct 100 36 0\n184 End-to-End_Error 97 99 3\n187 Reported_Uncorrect 100 0 0\n\
         197 Current_Pending_Sector 100 0 0\n198 Offline_Uncorrectable 100 0 0",
    ),
];

#[test]
fn disks_that_are_worn_or_at_risk() {
    each(7200, DISKS_WORN);
}
