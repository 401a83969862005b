//! Who may what in the console: one line for each route. Without its line a route fails the test.

use super::{
    Mixed,
    On::{Programme, Public, Scope, Shared, Site, SiteInBody},
    Row,
};

/// Every route of the console. Acts answer 303 to the page they were done on. The second column: Administrator, Programme manager, Technician, Referent, reFurbisher,
/// aUditor.
pub(super) const CONSOLE: &[Row] = &[
    Row::new("GET /", "APTRFU", Scope, 200),
    Row::new("GET /devices", "APTRFU", Scope, 200),
    Row::new("GET /devices/new", "APT-F-", Scope, 200),
    Row::new("POST /devices", "APT-F-", SiteInBody(422), 303)
        .sends("serial=S{unique}&asset_tag=&kind=tablet&manufacturer=&model=&site={site}&programme=&warranty="),
    Row::new("POST /devices/{device}/enrolments/{enrolment}/approve", "A-T---", Site, 303).mixed(&[
        Mixed::at("/devices/{device}/enrolments/{foreign-enrolment}/approve", "", 404),
        Mixed::at("/devices/{foreign-device}/enrolments/{enrolment}/approve", "", 404),
    ]),
    Row::new("GET /devices/waiting", "A-T---", Scope, 200),
    // A preview keeps nothing.
    Row::new("POST /devices/waiting/preview", "A-T---", SiteInBody(404), 200)
        .sends("which=chosen&id-{enrolment}=&id-{newcomer}=")
        .bulk()
        .mixed(&[Mixed::body("id-{newcomer}=&id-{foreign-newcomer}=", 404)]),
    Row::new("POST /devices/waiting/decide", "A-T---", SiteInBody(404), 303)
        .sends("how=approve&id-{enrolment}=&id-{newcomer}=")
        .bulk()
        .mixed(&[
            Mixed::body("how=approve&id-{newcomer}=&id-{foreign-enrolment}=", 404),
            Mixed::body("how=refuse&reason=x&id-{enrolment}=&id-{foreign-newcomer}=", 404),
        ]),
    Row::new("POST /devices/{device}/recoveries/{recovery}/approve", "A-T---", Site, 303).mixed(&[
        Mixed::at("/devices/{device}/recoveries/{foreign-recovery}/approve", "", 404),
        Mixed::at("/devices/{foreign-device}/recoveries/{recovery}/approve", "", 404),
    ]),
    Row::new("POST /devices/{device}/recoveries/{recovery}/refuse", "A-T---", Site, 303).mixed(&[
        Mixed::at("/devices/{device}/recoveries/{foreign-recovery}/refuse", "", 404),
        Mixed::at("/devices/{foreign-device}/recoveries/{recovery}/refuse", "", 404),
    ]),
    Row::new("GET /devices/orders", "APTR--", Scope, 200),
    // Of what is another site's nothing is ordered, and nothing said but that it is left out.
    Row::new("POST /devices/orders", "A-T---", Scope, 200)
        .sends("kind=check_in&id-{device}=")
        .bulk()
        .mixed(&[Mixed::body("kind=check_in&id-{device}=&id-{foreign-device}=", 200)]),
    Row::new("POST /devices/orders", "APTR--", Scope, 200).sends("kind=return_notice&id-{lent-device}="),
    Row::new("POST /devices/{device}/actions", "A-T---", Site, 303).sends("kind=check_in"),
    Row::new("POST /devices/{lent-device}/actions", "APTR--", Site, 303)
        .sends("kind=return_notice&due={lent-until}&place=CDI"),
    Row::new("GET /devices/{device}/actions/{action}/log", "A-T---", Site, 200).mixed(&[
        Mixed::at("/devices/{device}/actions/{foreign-action}/log", "", 404),
        Mixed::at("/devices/{foreign-device}/actions/{action}/log", "", 404),
    ]),
    // No such certificate: nothing to end, and nothing done.
    Row::new("POST /devices/{device}/foreign-agent/revoke", "A-T---", Site, 303),
    Row::new("GET /devices.csv", "APTRFU", Scope, 200),
    Row::new("GET /devices/{device}", "APTRFU", Site, 200),
    Row::new("POST /devices/{device}/record", "APT-F-", Site, 303).sends("grade=B&warranty=2028-08-31"),
    Row::new("GET /dispositions", "APTRFU", Scope, 200),
    Row::new("GET /dispositions/what-if", "APTRFU", Scope, 200),
    Row::new("POST /devices/{device}/asset-tag", "APT-F-", Site, 303).sends("asset_tag={unique}"),
    // There is no report yet whose parts could be accepted: allowed, and nonsense.
    Row::new("POST /devices/{device}/baseline", "APT-F-", Site, 400).sends("reason=x"),
    Row::new("POST /devices/{device}/status", "A-T---", Site, 303).sends("status=active&reason=x"),
    Row::new("POST /devices/{device}/archive", "APT-F-", Site, 303).sends("reason=x"),
    Row::new("POST /devices/{device}/unarchive", "APT-F-", Site, 303).sends("reason=x"),
    Row::new("POST /devices/{returned-device}/stock", "APTRF-", Site, 303),
    Row::new("GET /devices/{device}/erasures", "APTRFU", Site, 200),
    // It is nothing that a tool wrote: allowed, and said so.
    Row::new("POST /devices/{device}/erasures/evidence", "A-T-F-", Site, 422).uploads("clock=utc", "nonsense"),
    Row::new("POST /devices/{device}/erasures/by-hand", "A-T-F-", Site, 303)
        .sends("drive=S{unique}&model=&method=destruction&with=x&on={today}"),
    Row::new("POST /devices/{device}/erasures/absent", "A-----", Site, 303)
        .sends("drive={drive}&reason=taken+out+for+parts"),
    Row::new("POST /devices/{device}/erasures/certificate", "A-T-F-", Site, 200).sends("demand=leave"),
    Row::new("POST /devices/{device}/erasures/{erasure}/witness", "A-T-F-", Site, 303).mixed(&[
        Mixed::at("/devices/{device}/erasures/{foreign-erasure}/witness", "", 404),
        Mixed::at("/devices/{foreign-device}/erasures/{erasure}/witness", "", 404),
    ]),
    Row::new("GET /devices/{device}/erasures/files/{erasure-file}", "APTRFU", Site, 200).mixed(&[
        Mixed::at("/devices/{device}/erasures/files/{foreign-erasure-file}", "", 404),
        Mixed::at("/devices/{foreign-device}/erasures/files/{erasure-file}", "", 404),
    ]),
    Row::new("GET /check/{certificate}", "APTRFU", Public, 200),
    Row::new("POST /check/{certificate}", "APTRFU", Public, 200).uploads("x=x", "another file"),
    Row::new("GET /loans", "APTRFU", Scope, 200),
    Row::new("GET /loans.csv", "APTRFU", Scope, 200),
    Row::new("GET /loans/{loan}", "APTRFU", Site, 200),
    Row::new("POST /loans/{reservation}/cancel", "AP-R--", Site, 303),
    Row::new("POST /loans/{loan}/extend", "AP-R--", Site, 303).sends("due=2035-01-01"),
    Row::new("POST /loans/{loan}/return", "APTRF-", Site, 303).sends("condition=good"),
    Row::new("POST /loans/{loan}/undo-return", "APTRF-", Site, 303),
    Row::new("POST /loans/{loan}/lose", "AP-R--", Site, 303),
    Row::new("POST /loans/{loan}/steal", "AP-R--", Site, 303).sends("police_report=x"),
    Row::new("POST /loans/{loan}/write-off", "AP----", Site, 303),
    // Nothing was drawn under this loan: allowed, and nothing to show.
    Row::new("POST /loans/{loan}/signature", "AP-R--", Site, 404),
    Row::new("POST /loans/{loan}/agreement", "AP-R--", Site, 200).sends("holders=all"),
    Row::new("POST /loans/{returned-loan}/receipt", "APTRF-", Site, 200),
    Row::new("GET /documents/{document}", "APTRFU", Site, 200),
    Row::new("POST /hand-over/agreement", "AP-R--", SiteInBody(404), 200)
        .sends("device={device}&borrower={borrower-reference}&programme={programme}")
        .mixed(&[
            Mixed::body("device={device}&borrower={foreign-borrower-reference}&programme={programme}", 404),
            Mixed::body("device={foreign-device}&borrower={borrower-reference}&programme={programme}", 404),
        ]),
    Row::new("GET /labels", "APT---", Scope, 200),
    Row::new("POST /labels", "APT---", SiteInBody(422), 200).sends("codes={device}&format=l7160")
        .bulk()
        .mixed(&[Mixed::body("codes={device}%0A{foreign-device}&format=l7160", 422)]),
    Row::new("GET /hand-over", "AP-R--", Scope, 200),
    Row::new("POST /hand-over", "AP-R--", SiteInBody(422), 303)
        .sends("device={device}&borrower={borrower-reference}&programme={programme}")
        .mixed(&[
            Mixed::body("device={device}&borrower={foreign-borrower-reference}&programme={programme}", 422),
            Mixed::body("device={foreign-device}&borrower={borrower-reference}&programme={programme}", 422),
        ]),
    Row::new("POST /hand-over/reserve", "AP-R--", SiteInBody(422), 303)
        .sends("device={device}&borrower={borrower-reference}&programme={programme}")
        .mixed(&[
            Mixed::body("device={device}&borrower={foreign-borrower-reference}&programme={programme}", 422),
            Mixed::body("device={foreign-device}&borrower={borrower-reference}&programme={programme}", 422),
        ]),
    Row::new("GET /hand-over/class", "AP-R--", Scope, 200),
    Row::new("POST /hand-over/class", "AP-R--", SiteInBody(422), 303)
        .uploads("lines={device};{borrower-reference}&programme={programme}&how=all", "")
        .bulk()
        .mixed(&[
            Mixed::body(
                "lines={device};{borrower-reference}%0A{foreign-device};{borrower-reference}&programme={programme}&how=all",
                422,
            ),
            Mixed::body(
                "lines={device};{borrower-reference}%0A{foreign-device};{borrower-reference}&programme={programme}&how=good",
                303,
            ),
            Mixed::body("lines={device};{foreign-borrower-reference}&programme={programme}&how=good", 422),
        ]),
    Row::new("GET /returns", "APTRF-", Scope, 200),
    // A code that means nothing to this person is answered by a line that says so.
    Row::new("POST /returns", "APTRF-", Scope, 200).sends("code={lent-device}"),
    Row::new("POST /returns/undo", "APTRF-", SiteInBody(404), 303).sends("loan={loan}"),
    Row::new("GET /flags", "APTRFU", Scope, 200),
    Row::new("POST /flags/{flag}/handle", "APT-F-", Site, 303).sends("how=acknowledge&reason=x"),
    Row::new("GET /tokens", "A-T--U", Scope, 200),
    Row::new("POST /tokens", "A-T---", SiteInBody(422), 201).sends("label=x&site={site}&programme=&cap=1&hours=24"),
    Row::new("POST /tokens/{token}/revoke", "A-T---", Site, 303),
    Row::new("GET /exports", "APTRFU", Scope, 200),
    Row::new("GET /exports/{export}", "AP-R-U", Scope, 200),
    Row::new("GET /imports", "AP----", Programme, 200),
    // A file names whatever it likes; only those who see all sites may bring one.
    Row::new("POST /imports", "AP----", Programme, 303)
        .uploads("kind=devices", "serial\nSECRET-SERIAL\n")
        .bulk()
        .mixed(&[Mixed::body("kind=devices&names={device}%0A{foreign-device}", 403)]),
    Row::new("GET /imports/{import}", "AP----", Programme, 200),
    // Its columns hold nothing yet: allowed, and told to choose.
    Row::new("POST /imports/{import}/check", "AP----", Programme, 422),
    Row::new("POST /imports/{import}/apply", "AP----", Programme, 303).sends("on_error=stop"),
    Row::new("POST /imports/{import}/bad.csv", "AP----", Programme, 200),
    Row::new("POST /imports/{import}/delete", "AP----", Programme, 303),
    Row::new("GET /needs", "AP-R-U", Scope, 200),
    Row::new("POST /needs", "AP-R--", SiteInBody(422), 303)
        .sends("site={site}&programme={programme}&count=1&home=no_computer")
        .bulk()
        .mixed(&[Mixed::body("site={site}&programme={programme}&count=1&borrower={foreign-borrower-reference}", 422)]),
    Row::new("GET /needs/{need}/change", "AP-R--", Site, 200),
    Row::new("POST /needs/{need}/change", "AP-R--", Site, 303).sends("programme={programme}&level=5e&ulis=yes"),
    Row::new("POST /needs/{need}/withdraw", "AP-R--", Site, 303).sends("reason=x"),
    Row::new("GET /allocations", "AP---U", Programme, 200),
    Row::new("POST /allocations", "AP----", Programme, 303).sends("programme="),
    Row::new("GET /allocations/{allocation}", "AP---U", Programme, 200),
    Row::new("GET /allocations/{allocation}/{lines-file}", "AP---U", Programme, 200),
    // What makes no sense (an unknown device, a line that is dropped twice) is said on the proposal's page.
    Row::new("POST /allocations/{allocation}/swap", "AP----", Programme, 303).sends("rank=1&device=zz&reason=x"),
    Row::new("POST /allocations/{allocation}/drop-line", "AP----", Programme, 303).sends("rank=1&reason=x"),
    Row::new("POST /allocations/{allocation}/approve", "AP----", Programme, 303),
    Row::new("POST /allocations/{allocation}/drop", "AP----", Programme, 303),
    Row::new("GET /recipients", "AP--FU", Programme, 200),
    Row::new("POST /recipients", "AP--F-", Programme, 303).sends("name=x&class=reuse_body&legal_form=association"),
    Row::new("POST /recipients/{recipient}/end", "AP--F-", Programme, 303),
    Row::new("GET /lots", "AP--FU", Programme, 200),
    Row::new("POST /lots", "AP--F-", Programme, 303).sends("name=x"),
    Row::new("GET /lots/{lot}", "AP--FU", Programme, 200),
    Row::new("GET /lots/{lot}/{packing-file}", "AP--FU", Programme, 200),
    Row::new("POST /lots/{lot}/terms", "AP--F-", Programme, 303).sends("name=x"),
    Row::new("POST /lots/{lot}/add", "AP--F-", Programme, 303)
        .sends("codes={device}")
        .bulk()
        .mixed(&[Mixed::body("codes={device}%0A{foreign-device}", 403)]),
    Row::new("POST /lots/{lot}/remove", "AP--F-", Programme, 303).sends("device={unit}"),
    Row::new("POST /lots/{lot}/value", "AP--F-", Programme, 303).sends("value=85&estimation=market&note=x"),
    // Something is missing, or it was not approved: allowed, and said so on its page.
    Row::new("POST /lots/{lot}/approve", "AP----", Programme, 422),
    Row::new("POST /lots/{lot}/deed", "AP--F-", Programme, 422),
    Row::new("POST /lots/{lot}/packing-list", "AP--F-", Programme, 200),
    Row::new("POST /lots/{lot}/deliver", "AP--F-", Programme, 422).sends("day=2026-11-29&deed=DON-2026-1"),
    Row::new("POST /lots/{lot}/drop", "AP--F-", Programme, 303),
    Row::new("GET /figures", "AP--FU", Programme, 200),
    Row::new("GET /figures/{figures-year}/{figures-file}", "AP--FU", Programme, 200),
    Row::new("GET /campaigns", "APTRFU", Scope, 200),
    Row::new("POST /campaigns", "AP----", Programme, 303)
        .sends("name=x&first=2027-06-14&last=2027-06-18&desks=1&slots=500")
        .bulk()
        .mixed(&[Mixed::body(
            "name=x&first=2027-06-14&last=2027-06-18&desks=1&slots=500&site-{site}=on&site-{foreign-site}=on",
            403,
        )]),
    Row::new("GET /campaigns/{campaign}", "APTRFU", Shared, 200),
    Row::new("GET /campaigns/{campaign}/{loans-file}", "APTRFU", Shared, 200),
    // It runs already: allowed, and said so.
    Row::new("POST /campaigns/{campaign}/start", "AP----", Programme, 422),
    Row::new("POST /campaigns/{campaign}/close", "AP----", Programme, 303),
    Row::new("POST /campaigns/{campaign}/desks", "AP----", Programme, 422).sends("site={site}&desks=1&slots=1"),
    Row::new("POST /campaigns/{campaign}/plan", "AP----", Programme, 422)
        .sends("name=x&first=2027-06-14&last=2027-06-18&desks=1&slots=500"),
    Row::new("POST /campaigns/{campaign}/drop", "AP----", Programme, 422),
    Row::new("POST /campaigns/{campaign}/excuse", "AP-R--", SiteInBody(404), 303).sends("loan={loan}&reason=x")
        .bulk()
        .mixed(&[Mixed::body("loan={foreign-loan}&reason=x", 404)]),
    // It is not excused: allowed, and nothing to undo.
    Row::new("POST /campaigns/{campaign}/expect", "AP-R--", SiteInBody(404), 404).sends("loan={loan}"),
    // They were written to today, at its start: allowed, and said so.
    Row::new("POST /campaigns/{campaign}/write-again", "AP----", Programme, 422),
    Row::new("POST /campaigns/{campaign}/letters", "AP-R-U", SiteInBody(404), 200).sends("site={site}&names=on"),
    Row::new("GET /work-orders", "A-T-F-", Scope, 200),
    Row::new("GET /work-orders/intake", "A---F-", Scope, 200),
    // A code that means nothing to this person is answered by a line that says so.
    Row::new("POST /work-orders/intake", "A---F-", Scope, 200).sends("code={returned-device}"),
    Row::new("GET /work-orders/{order}", "A-T-F-", Site, 200),
    Row::new("POST /work-orders/{order}/move", "A---F-", Site, 303).sends("step=quarantine"),
    Row::new("GET /work-orders/{order}/inspection", "A---F-", Site, 200),
    // Without answers: allowed, and told which check is missing.
    Row::new("POST /work-orders/{order}/inspection", "A---F-", Site, 422),
    Row::new("POST /work-orders/{order}/waiver", "A-----", Site, 303).sends("reason=x"),
    // It is not at repair, nor for parts: allowed, and said so on its page.
    Row::new("POST /work-orders/{order}/parts", "A---F-", Site, 303).sends("part={part}"),
    Row::new("POST /work-orders/{order}/harvest", "A---F-", Site, 303).sends("kind=battery&model=&price=0&count=1"),
    // A file that is no picture: allowed, and said so on its page.
    Row::new("POST /work-orders/{order}/photos", "A---F-", Site, 303).uploads("", "no picture"),
    Row::new("GET /work-orders/{order}/photos/{photo}", "A-T-F-", Site, 200)
        .mixed(&[Mixed::at("/work-orders/{order}/photos/{foreign-photo}", "", 404)]),
    Row::new("POST /work-orders/{order}/photos/{photo}/remove", "A---F-", Site, 303)
        .mixed(&[Mixed::at("/work-orders/{order}/photos/{foreign-photo}/remove", "", 404)]),
    Row::new("GET /forecast", "APT-FU", Programme, 200),
    // Of no question there are no parts.
    Row::new("GET /forecast/{parts-file}", "APT-FU", Programme, 400),
    Row::new("GET /parts", "A-T-F-", Scope, 200),
    Row::new("POST /parts", "A---F-", Scope, 303).sends("kind=battery&model=&price=1&count=1"),
    Row::new("POST /parts/{part}/count", "A---F-", Shared, 303).sends("count=3&reason=x"),
    Row::new("GET /borrowers", "AP-R-U", Scope, 200),
    Row::new("GET /borrowers/new", "AP-R--", Scope, 200),
    Row::new("POST /borrowers", "AP-R--", SiteInBody(422), 303).sends("kind=person&site={site}&name=x"),
    Row::new("POST /borrowers/search", "AP-R--", SiteInBody(404), 200).sends("name=xy&site={site}"),
    Row::new("GET /borrowers/{borrower}", "AP-R-U", Site, 200),
    Row::new("POST /borrowers/{borrower}/identity", "AP-R--", Site, 200),
    Row::new("POST /borrowers/{borrower}/identity/change", "AP-R--", Site, 303).sends("name=x"),
    Row::new("POST /borrowers/{borrower}/change", "AP-R--", Site, 303).sends("level=5e"),
    Row::new("POST /borrowers/{borrower}/left", "AP-R--", Site, 303).sends("day=2026-07-03"),
    Row::new("POST /borrowers/{borrower}/export", "AP-R--", Site, 200),
    // It holds a device: allowed, and refused with the reason.
    Row::new("POST /borrowers/{borrower}/erase", "AP-R--", Site, 409).sends("reason=x"),
    Row::new("GET /sites", "APTRFU", Scope, 200),
    Row::new("POST /sites", "AP----", Programme, 303).sends("uai={free-uai}&name=x&commune=x&zone=A"),
    Row::new("GET /sites/{site}", "APTRFU", Site, 200),
    Row::new("POST /sites/{site}", "AP----", Site, 303).sends("name=x&commune=x&zone=A"),
    Row::new("POST /sites/{site}/list", "APTRFU", Site, 200).sends("names=on"),
    Row::new("POST /sites/{site}/referents", "AP----", Site, 303)
        .sends("name=x&email={unique}@example.org&language=fr"),
    Row::new("POST /sites/{site}/referents/{referent}/end", "AP----", Site, 303).mixed(&[
        Mixed::at("/sites/{site}/referents/{foreign-referent}/end", "", 404),
        Mixed::at("/sites/{foreign-site}/referents/{referent}/end", "", 404),
    ]),
    Row::new("GET /exams", "APTRFU", Scope, 200),
    Row::new("POST /exams", "A-T---", SiteInBody(422), 303)
        .sends("label=x&day=2035-06-14&begins=08:00&ends=12:00&site-{site}=on")
        .bulk()
        .mixed(&[Mixed::body(
            "label=x&day=2035-06-14&begins=08:00&ends=12:00&site-{site}=on&site-{foreign-site}=on",
            422,
        )]),
    Row::new("POST /exams/{exam}/end", "A-T---", Site, 303),
    Row::new("GET /calendar", "APTRFU", Scope, 200),
    Row::new("POST /calendar", "A-----", Programme, 303).uploads(
        "zone=C&how=keep&name=x&calendar=BEGIN:VCALENDAR%0ABEGIN:VEVENT%0ADTSTART;VALUE=DATE:20320205%0A\
         DTEND;VALUE=DATE:20320221%0ASUMMARY:Vacances d'Hiver - Zone C%0AEND:VEVENT%0AEND:VCALENDAR%0A",
        "",
    ),
    Row::new("GET /programmes", "APTRFU", Scope, 200),
    Row::new("GET /programmes/new", "AP----", Programme, 200),
    Row::new("POST /programmes", "AP----", Programme, 303)
        .sends("code={unique}&name=x&kind=gift&term=open&renewals=0&accessories=&owner=x&template=x&notice_days="),
    Row::new("GET /programmes/{programme}", "APTRFU", Shared, 200),
    Row::new("POST /programmes/{programme}", "AP----", Programme, 303)
        .sends("name=x&kind=gift&term=open&renewals=0&accessories=&owner=x&template=x&notice_days="),
    Row::new("POST /programmes/{programme}/close", "AP----", Programme, 303).sends("reason=x"),
    Row::new("POST /programmes/{programme}/reopen", "AP----", Programme, 303).sends("reason=x"),
    Row::new("GET /releases", "A-T--U", Programme, 200),
    Row::new("POST /releases/{release}/stage", "A-T---", Programme, 303).sends("percent=10"),
    Row::new("POST /releases/{release}/halt", "A-T---", Programme, 303),
    Row::new("GET /audit", "A----U", Programme, 200),
    Row::new("GET /notices", "AP---U", Scope, 200),
    Row::new("GET /notices/{message}", "AP---U", Site, 200),
    Row::new("POST /notices/{message}/bounce", "A-----", Site, 303).sends("reason=unknown"),
    Row::new("POST /notices/{bounced-message}/again", "A-----", Site, 303),
    Row::new("GET /design", "APTRFU", Scope, 200),
    Row::new("GET /static/{file}", "APTRFU", Public, 404),
    Row::new("GET /apt/{*path}", "APTRFU", Public, 404),
    Row::new("GET /sign-in", "APTRFU", Public, 200),
    Row::new("POST /sign-in", "APTRFU", Public, 422).sends("login=nobody&password=x"),
    Row::new("POST /language", "APTRFU", Public, 303).sends("language=en&next=/"),
    Row::new("POST /sign-out", "APTRFU", Public, 303),
];
