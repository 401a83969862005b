//! Who may what by the API: one line for each route. Without its line a route fails the test.

use super::{
    Mixed,
    On::{Programme, Public, Scope, Shared, Site, SiteInBody},
    Row,
};

/// Every route of the API. The second column: Administrator, Programme manager, Technician, Referent, reFurbisher,
/// aUditor.
pub(super) const API: &[Row] = &[
    Row::new("GET /api/openapi.json", "APTRFU", Public, 200),
    Row::new("GET /api/v1/me", "APTRFU", Scope, 200),
    Row::new("GET /api/v1/overview", "APTRFU", Scope, 200),
    Row::new("GET /api/v1/devices", "APTRFU", Scope, 200),
    Row::new("GET /api/v1/devices/{device}", "APTRFU", Site, 200),
    Row::new("POST /api/v1/devices", "APT-F-", SiteInBody(422), 201)
        .sends(r#"{"serial_number":"S{unique}","kind":"tablet","site":"{uai}"}"#),
    // No inventory: allowed, and told so.
    Row::new("POST /api/v1/inventories", "APT-F-", Scope, 422).sends("{}"),
    Row::new("POST /api/v1/devices/{device}/record", "APT-F-", Site, 204).sends(r#"{"grade":"B"}"#),
    Row::new("GET /api/v1/devices/{device}/advice", "APTRFU", Site, 200),
    Row::new("GET /api/v1/dispositions", "APTRFU", Scope, 200),
    Row::new("GET /api/v1/dispositions/devices", "APTRFU", Scope, 200),
    Row::new("GET /api/v1/flags", "APTRFU", Scope, 200),
    Row::new("GET /api/v1/enrolment-tokens", "A-T--U", Scope, 200),
    Row::new("POST /api/v1/enrolment-tokens", "A-T---", SiteInBody(422), 201)
        .sends(r#"{"label":"6e B","site":"{uai}"}"#),
    Row::new("POST /api/v1/enrolment-tokens/{token}/revoke", "A-T---", Site, 200),
    Row::new("GET /api/v1/loans", "APTRFU", Scope, 200),
    Row::new("POST /api/v1/loans", "AP-R--", SiteInBody(422), 201)
        .sends(r#"{"device":"{device}","borrower":"{borrower-reference}","programme":"{programme-code}"}"#)
        .mixed(&[
            Mixed::body(
                r#"{"device":"{device}","borrower":"{foreign-borrower-reference}","programme":"{programme-code}"}"#,
                422,
            ),
            Mixed::body(
                r#"{"device":"{foreign-device}","borrower":"{borrower-reference}","programme":"{programme-code}"}"#,
                422,
            ),
        ]),
    Row::new("GET /api/v1/loans/{loan}", "APTRFU", Site, 200),
    Row::new("GET /api/v1/loans/{loan}/documents", "APTRFU", Site, 200),
    Row::new("POST /api/v1/loans/{loan}/documents", "AP-R--", Site, 201).sends(r#"{"kind":"agreement"}"#),
    Row::new("POST /api/v1/loans/{reservation}/hand-over", "AP-R--", Site, 200).sends("{}"),
    Row::new("POST /api/v1/loans/{reservation}/cancel", "AP-R--", Site, 200),
    Row::new("POST /api/v1/loans/{loan}/extend", "AP-R--", Site, 200).sends(r#"{"due":"2035-01-01"}"#),
    Row::new("POST /api/v1/loans/{loan}/return", "APTRF-", Site, 200).sends(r#"{"condition":"good"}"#),
    Row::new("POST /api/v1/loans/{loan}/lose", "AP-R--", Site, 200),
    Row::new("POST /api/v1/loans/{loan}/steal", "AP-R--", Site, 200).sends(r#"{"police_report":"x"}"#),
    Row::new("POST /api/v1/loans/{loan}/write-off", "AP----", Site, 200),
    Row::new("POST /api/v1/devices/{returned-device}/stock", "APTRF-", Site, 204),
    Row::new("GET /api/v1/sites", "APTRFU", Scope, 200),
    Row::new("GET /api/v1/needs", "AP-R-U", Scope, 200),
    Row::new("POST /api/v1/needs", "AP-R--", SiteInBody(422), 201)
        .sends(r#"{"site":"{uai}","programme":"{programme-code}","reasons":["ulis"],"count":2}"#)
        .bulk()
        .mixed(&[Mixed::body(
            r#"{"site":"{uai}","programme":"{programme-code}","borrower":"{foreign-borrower-reference}"}"#,
            422,
        )]),
    Row::new("POST /api/v1/needs/{need}/change", "AP-R--", Site, 204).sends(r#"{"level":"5e","borrower":null}"#),
    Row::new("POST /api/v1/needs/{need}/withdraw", "AP-R--", Site, 204).sends(r#"{"reason":"x"}"#),
    Row::new("GET /api/v1/allocations", "AP---U", Programme, 200),
    Row::new("POST /api/v1/allocations", "AP----", Programme, 201).sends("{}"),
    Row::new("GET /api/v1/allocations/{allocation}", "AP---U", Programme, 200),
    Row::new("GET /api/v1/allocations/{allocation}/lines", "AP---U", Programme, 200),
    // What no line can have is said, once it is known who asks.
    Row::new("POST /api/v1/allocations/{allocation}/lines/{rank}/swap", "AP----", Programme, 422)
        .sends(r#"{"device":"{lent-device}","reason":"x"}"#),
    Row::new("POST /api/v1/allocations/{allocation}/lines/{rank}/drop", "AP----", Programme, 204)
        .sends(r#"{"reason":"x"}"#),
    Row::new("POST /api/v1/allocations/{allocation}/approve", "AP----", Programme, 200),
    Row::new("POST /api/v1/allocations/{allocation}/drop", "AP----", Programme, 204),
    Row::new("GET /api/v1/campaigns", "APTRFU", Scope, 200),
    Row::new("POST /api/v1/campaigns", "AP----", Programme, 201)
        .sends(r#"{"name":"x","first":"2027-06-14","last":"2027-06-18","desks":1,"slots":500,"sites":["{uai}"]}"#)
        .bulk()
        .mixed(&[Mixed::body(
            r#"{"name":"x","first":"2027-06-14","last":"2027-06-18","desks":1,"slots":500,"sites":["{uai}","{foreign-uai}"]}"#,
            403,
        )]),
    Row::new("GET /api/v1/campaigns/{campaign}", "APTRFU", Shared, 200),
    Row::new("GET /api/v1/campaigns/{campaign}/loans", "APTRFU", Shared, 200),
    // It runs already: allowed, and said so.
    Row::new("PUT /api/v1/campaigns/{campaign}", "AP----", Programme, 422)
        .sends(r#"{"name":"x","first":"2027-06-14","last":"2027-06-18","desks":1,"slots":500}"#),
    Row::new("DELETE /api/v1/campaigns/{campaign}", "AP----", Programme, 422),
    Row::new("POST /api/v1/campaigns/{campaign}/desks", "AP----", Programme, 422)
        .sends(r#"{"site":"{uai}","desks":1,"slots":1}"#),
    Row::new("POST /api/v1/campaigns/{campaign}/start", "AP----", Programme, 422),
    Row::new("POST /api/v1/campaigns/{campaign}/close", "AP----", Programme, 204),
    Row::new("POST /api/v1/campaigns/{campaign}/excuse", "AP-R--", Site, 204)
        .sends(r#"{"loan":"{loan}","reason":"x"}"#)
        .bulk()
        .mixed(&[Mixed::body(r#"{"loan":"{foreign-loan}","reason":"x"}"#, 404)]),
    // It is not excused: allowed, and nothing to undo.
    Row::new("POST /api/v1/campaigns/{campaign}/expect", "AP-R--", Site, 404).sends(r#"{"loan":"{loan}"}"#),
    // They were written to today, at its start: allowed, and said so.
    Row::new("POST /api/v1/campaigns/{campaign}/write-again", "AP----", Programme, 422),
    Row::new("POST /api/v1/campaigns/{campaign}/letters", "AP-R-U", SiteInBody(422), 201)
        .sends(r#"{"site":"{uai}","names":true}"#),
    // Nothing is asked: allowed, and said so.
    Row::new("GET /api/v1/forecast", "APT-FU", Programme, 422),
    Row::new("GET /api/v1/work-orders", "A-T-F-", Scope, 200),
    Row::new("POST /api/v1/work-orders", "A---F-", SiteInBody(422), 201).sends(r#"{"device":"{returned-device}"}"#),
    Row::new("GET /api/v1/work-orders/{order}", "A-T-F-", Site, 200),
    Row::new("POST /api/v1/work-orders/{order}/move", "A---F-", Site, 200).sends(r#"{"step":"quarantine"}"#),
    Row::new("POST /api/v1/work-orders/{order}/waiver", "A-----", Site, 200).sends(r#"{"reason":"x"}"#),
    Row::new("GET /api/v1/donation-recipients", "AP--FU", Programme, 200),
    Row::new("POST /api/v1/donation-recipients", "AP--F-", Programme, 201)
        .sends(r#"{"name":"x","class":"reuse_body","legal_form":"association"}"#),
    Row::new("POST /api/v1/donation-recipients/{recipient}/end", "AP--F-", Programme, 204),
    Row::new("GET /api/v1/donation-lots", "AP--FU", Programme, 200),
    Row::new("POST /api/v1/donation-lots", "AP--F-", Programme, 201).sends(r#"{"name":"x"}"#),
    Row::new("GET /api/v1/donation-lots/{lot}", "AP--FU", Programme, 200),
    Row::new("PUT /api/v1/donation-lots/{lot}", "AP--F-", Programme, 200).sends(r#"{"name":"x"}"#),
    Row::new("POST /api/v1/donation-lots/{lot}/units", "AP--F-", Programme, 204)
        .sends(r#"{"devices":["{device}"]}"#)
        .bulk()
        .mixed(&[Mixed::body(r#"{"devices":["{device}","{foreign-device}"]}"#, 403)]),
    Row::new("DELETE /api/v1/donation-lots/{lot}/units/{unit}", "AP--F-", Programme, 204),
    Row::new("POST /api/v1/donation-lots/{lot}/value", "AP--F-", Programme, 204)
        .sends(r#"{"value":"85","estimation":"market","note":"x"}"#),
    // Something is missing for its unit: allowed, and said so.
    Row::new("POST /api/v1/donation-lots/{lot}/approve", "AP----", Programme, 422),
    Row::new("POST /api/v1/donation-lots/{lot}/documents", "AP--F-", Programme, 201).sends(r#"{"kind":"packing_list"}"#),
    // It was not approved: allowed, and said so.
    Row::new("POST /api/v1/donation-lots/{lot}/deliver", "AP--F-", Programme, 422)
        .sends(r#"{"day":"2026-11-29","deed":"DON-2026-1"}"#),
    Row::new("POST /api/v1/donation-lots/{lot}/drop", "AP--F-", Programme, 204),
    Row::new("GET /api/v1/figures/{figures-year}", "AP--FU", Programme, 200),
    Row::new("GET /api/v1/imports", "AP----", Programme, 200),
    // A file names whatever it likes; only those who see all sites may bring one.
    Row::new("POST /api/v1/imports", "AP----", Programme, 201)
        .asks("kind=devices")
        .sends("serial\n{unique}\n")
        .bulk()
        .mixed(&[Mixed::body("site,asset_tag\n{uai},a\n{foreign-uai},b\n", 403)]),
    Row::new("GET /api/v1/imports/{import}", "AP----", Programme, 200),
    Row::new("POST /api/v1/imports/{import}/check", "AP----", Programme, 202).sends("{}"),
    // It was not checked: allowed, and said so.
    Row::new("POST /api/v1/imports/{import}/apply", "AP----", Programme, 422).sends(r#"{"on_error":"stop"}"#),
    Row::new("GET /api/v1/imports/{import}/rows", "AP----", Programme, 200),
    Row::new("DELETE /api/v1/imports/{import}", "AP----", Programme, 204),
    Row::new("GET /api/v1/borrowers", "AP-R-U", Scope, 200),
    Row::new("GET /api/v1/borrowers/{borrower}", "AP-R-U", Site, 200),
    Row::new("GET /api/v1/borrowers/{borrower}/identity", "AP-R--", Site, 200),
    Row::new("GET /api/v1/exams", "APTRFU", Scope, 200),
    Row::new("POST /api/v1/exams", "A-T---", SiteInBody(422), 201)
        .sends(
            r#"{"label":"x","begins_at":"2035-06-14T06:00:00Z","ends_at":"2035-06-14T10:00:00Z","sites":["{uai}"]}"#,
        )
        .bulk()
        .mixed(&[Mixed::body(
            r#"{"label":"x","begins_at":"2035-06-14T06:00:00Z","ends_at":"2035-06-14T10:00:00Z","sites":["{uai}","{foreign-uai}"]}"#,
            422,
        )]),
    Row::new("POST /api/v1/exams/{exam}/end", "A-T---", Site, 204),
    Row::new("GET /api/v1/sites/{site}", "APTRFU", Site, 200),
    Row::new("GET /api/v1/programmes", "APTRFU", Scope, 200),
    Row::new("GET /api/v1/programmes/{programme}", "APTRFU", Shared, 200),
    Row::new("POST /api/v1/programmes", "AP----", Programme, 201).sends(
        r#"{"code":"{unique}","name":"x","kind":"gift","term":{"kind":"open"},"renewals_allowed":0,"owner":"x"}"#,
    ),
    Row::new("POST /api/v1/programmes/{programme}/change", "AP----", Programme, 200).sends(r#"{"name":"x"}"#),
    Row::new("POST /api/v1/programmes/{programme}/close", "AP----", Programme, 204).sends(r#"{"reason":"x"}"#),
    Row::new("POST /api/v1/programmes/{programme}/reopen", "AP----", Programme, 204).sends(r#"{"reason":"x"}"#),
    Row::new("POST /api/v1/sites", "AP----", Programme, 201)
        .sends(r#"{"uai":"{free-uai}","name":"x","commune":"x","zone":"A"}"#),
    Row::new("POST /api/v1/sites/{site}/change", "AP----", Site, 200).sends(r#"{"zone":"A"}"#),
    Row::new("POST /api/v1/sites/{site}/referents", "AP----", Site, 201)
        .sends(r#"{"name":"x","email":"{unique}@example.org"}"#),
    Row::new("POST /api/v1/sites/{site}/referents/{referent}/end", "AP----", Site, 204).mixed(&[
        Mixed::at("/api/v1/sites/{site}/referents/{foreign-referent}/end", "", 404),
        Mixed::at("/api/v1/sites/{foreign-site}/referents/{referent}/end", "", 404),
    ]),
    Row::new("POST /api/v1/borrowers", "AP-R--", SiteInBody(422), 201)
        .sends(r#"{"kind":"person","site":"{uai}","identity":{"name":"x"}}"#),
    Row::new("POST /api/v1/borrowers/{borrower}/change", "AP-R--", Site, 204).sends(r#"{"level":"5e"}"#),
    Row::new("POST /api/v1/borrowers/{borrower}/left", "AP-R--", Site, 204).sends(r#"{"day":"2026-07-03"}"#),
    Row::new("POST /api/v1/borrowers/{borrower}/export", "AP-R--", Site, 200),
    // It holds a device: allowed, and refused with the reason.
    Row::new("POST /api/v1/borrowers/{borrower}/erase", "AP-R--", Site, 422).sends(r#"{"reason":"x"}"#),
    Row::new("GET /api/v1/audit", "A----U", Programme, 200),
    Row::new("GET /api/v1/messages", "AP---U", Scope, 200),
    Row::new("POST /api/v1/messages/{message}/bounce", "A-----", Site, 204).sends(r#"{"reason":"unknown"}"#),
    Row::new("POST /api/v1/messages/{bounced-message}/again", "A-----", Site, 204),
    Row::new("POST /api/v1/devices/{device}/asset-tag", "APT-F-", Site, 204).sends(r#"{"asset_tag":"{unique}"}"#),
    Row::new("POST /api/v1/devices/{device}/archive", "APT-F-", Site, 204).sends(r#"{"reason":"x"}"#),
    Row::new("POST /api/v1/devices/{device}/unarchive", "APT-F-", Site, 204).sends(r#"{"reason":"x"}"#),
    Row::new("POST /api/v1/devices/{device}/enrolments/{enrolment}/approve", "A-T---", Site, 204).mixed(&[
        Mixed::at("/api/v1/devices/{device}/enrolments/{foreign-enrolment}/approve", "", 404),
        Mixed::at("/api/v1/devices/{foreign-device}/enrolments/{enrolment}/approve", "", 404),
    ]),
    Row::new("GET /api/v1/enrolment-requests", "A-T---", Scope, 200),
    Row::new("POST /api/v1/enrolment-requests/decide", "A-T---", SiteInBody(404), 200)
        .sends(r#"{"decision":"approve","ids":["{enrolment}","{newcomer}"]}"#)
        .bulk()
        .mixed(&[
            Mixed::body(r#"{"decision":"approve","ids":["{enrolment}","{foreign-newcomer}"]}"#, 404),
            Mixed::body(r#"{"decision":"refuse","ids":["{newcomer}","{foreign-enrolment}"],"reason":"x"}"#, 404),
        ]),
    Row::new("POST /api/v1/devices/{device}/recoveries/{recovery}/approve", "A-T---", Site, 204).mixed(&[
        Mixed::at("/api/v1/devices/{device}/recoveries/{foreign-recovery}/approve", "", 404),
        Mixed::at("/api/v1/devices/{foreign-device}/recoveries/{recovery}/approve", "", 404),
    ]),
    Row::new("POST /api/v1/devices/{device}/recoveries/{recovery}/refuse", "A-T---", Site, 204).mixed(&[
        Mixed::at("/api/v1/devices/{device}/recoveries/{foreign-recovery}/refuse", "", 404),
        Mixed::at("/api/v1/devices/{foreign-device}/recoveries/{recovery}/refuse", "", 404),
    ]),
    // Filters that find nothing: the matrix makes more devices than may be ordered at once.
    Row::new("POST /api/v1/devices/actions", "A-T---", Scope, 200)
        .sends(r#"{"kind":"check_in","filter":{"search":"{unique}"},"dry_run":false}"#)
        .bulk()
        .mixed(&[Mixed::body(r#"{"kind":"check_in","filter":{"site":"{foreign-uai}"},"dry_run":false}"#, 400)]),
    Row::new("POST /api/v1/devices/actions", "APTR--", SiteInBody(400), 200)
        .sends(r#"{"kind":"return_notice","filter":{"site":"{uai}","search":"{unique}"}}"#),
    Row::new("GET /api/v1/devices/{device}/actions", "APTRFU", Site, 200),
    Row::new("POST /api/v1/devices/{device}/actions", "A-T---", Site, 201).sends(r#"{"kind":"check_in"}"#),
    Row::new("POST /api/v1/devices/{lent-device}/actions", "APTR--", Site, 201)
        .sends(r#"{"kind":"return_notice","due":"{lent-until}","place":"CDI"}"#),
    Row::new("GET /api/v1/devices/{device}/actions/{action}/log", "A-T---", Site, 200).mixed(&[
        Mixed::at("/api/v1/devices/{device}/actions/{foreign-action}/log", "", 404),
        Mixed::at("/api/v1/devices/{foreign-device}/actions/{action}/log", "", 404),
    ]),
    // No such certificate: allowed, and told so.
    Row::new("POST /api/v1/devices/{device}/foreign-agent/revoke", "A-T---", Site, 422),
    Row::new("POST /api/v1/returns", "APTRF-", SiteInBody(422), 200)
        .sends(r#"{"code":"{lent-device}","condition":"good"}"#),
    // Nobody took it back: allowed, and said so.
    Row::new("POST /api/v1/loans/{loan}/undo-return", "APTRF-", Site, 422),
    Row::new("POST /api/v1/flags/{flag}/acknowledge", "APT-F-", Site, 204).sends(r#"{"reason":"x"}"#),
    Row::new("POST /api/v1/flags/{flag}/snooze", "APT-F-", Site, 204).sends(r#"{"days":7,"reason":"x"}"#),
    Row::new("GET /api/v1/jobs", "AP---U", Programme, 200),
    Row::new("GET /api/v1/webhooks", "AP---U", Programme, 200),
    Row::new("GET /api/v1/devices/{device}/erasures", "APTRFU", Site, 200),
    // No form with files: allowed, and told to send one.
    Row::new("POST /api/v1/devices/{device}/erasures/evidence", "A-T-F-", Site, 422).sends("{}"),
    Row::new("POST /api/v1/devices/{device}/erasures", "A-T-F-", Site, 201)
        .sends(r#"{"drive":"S{unique}","method":"destruction","with":"x","on":"{today}"}"#),
    Row::new("POST /api/v1/devices/{device}/erasures/{erasure}/witness", "A-T-F-", Site, 204).mixed(&[
        Mixed::at("/api/v1/devices/{device}/erasures/{foreign-erasure}/witness", "", 404),
        Mixed::at("/api/v1/devices/{foreign-device}/erasures/{erasure}/witness", "", 404),
    ]),
    Row::new("POST /api/v1/devices/{device}/erasures/absent", "A-----", Site, 204)
        .sends(r#"{"drive":"{drive}","reason":"taken out for parts"}"#),
    // A drive is not proven erased: allowed, and said so.
    Row::new("POST /api/v1/devices/{device}/erasures/certificate", "A-T-F-", Site, 201)
        .sends(r#"{"demand":"leave"}"#),
];
