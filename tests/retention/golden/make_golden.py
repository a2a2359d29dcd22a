#!/usr/bin/env python3
"""Writes expiry.txt and decisions.txt: what another implementation (Python's zoneinfo and calendar, and the table of
retention/plan.h put in other words) expects. Run by hand when the policy changes, and read the difference."""
import calendar
import datetime as dt
import pathlib
import zoneinfo

UTC = dt.timezone.utc
HERE = pathlib.Path(__file__).parent


def text(t):
    return t.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + "%03dZ" % (t.microsecond // 1000)


def add(zone, start, months, days):
    local = start.astimezone(zone)
    offset, local = local.utcoffset(), local.replace(tzinfo=None)
    year, month = divmod(local.year * 12 + local.month - 1 + months, 12)
    day = min(local.day, calendar.monthrange(year, month + 1)[1])
    local = local.replace(year=year, month=month + 1, day=day) + dt.timedelta(days=days)
    found = set()
    for fold in (0, 1):
        at = local.replace(tzinfo=zone, fold=fold).astimezone(UTC)
        if at.astimezone(zone).replace(tzinfo=None) == local:
            found.add(at)
    if found:
        same = [at for at in found if at.astimezone(zone).utcoffset() == offset]
        return same[0] if same else min(found)
    low = local.replace(tzinfo=UTC) - dt.timedelta(hours=30)
    high = low + dt.timedelta(hours=60)
    while high - low > dt.timedelta(milliseconds=1):
        middle = low + (high - low) / 2
        if middle.astimezone(zone).replace(tzinfo=None) >= local:
            high = middle
        else:
            low = middle
    return high.replace(microsecond=0)


def expiry():
    lines = []

    def row(zone, local, period, fold=0):
        z = zoneinfo.ZoneInfo(zone)
        start = dt.datetime.fromisoformat(local).replace(tzinfo=z, fold=fold).astimezone(UTC)
        count = int(period.rstrip("dmoy"))
        months = count * {"d": 0, "mo": 1, "y": 12}[period.lstrip("0123456789")]
        end = add(z, start, months, count if period.endswith("d") else 0)
        shown = end.astimezone(z)
        shown = shown.isoformat(timespec="milliseconds" if shown.microsecond else "seconds")
        lines.append(f"{zone} {text(start)} {period} => {text(end)} {shown}")

    def section(title):
        lines.append(f"\n# {title}")

    b = "Europe/Bucharest"
    section("the 28th to 31st of each month, six months, into a common and a leap year")
    for year in (2026, 2027):
        for month in range(1, 13):
            for day in range(28, calendar.monthrange(year, month)[1] + 1):
                row(b, f"{year}-{month:02}-{day:02} 10:20:30.456", "6mo")
    section("leap days")
    for period in ("6mo", "1y", "2y", "4y", "12mo", "30d", "365d", "366d"):
        row(b, "2028-02-29 23:59:59.999", period)
    for local in ("2096-02-29 12:00", "2099-08-31 12:00", "2027-08-31 00:00", "2027-08-31 23:59:59.999"):
        for period in ("6mo", "1y", "4y", "100y"):
            row(b, local, period)
    section("Bucharest: expiry in the spring night (03:00 to 03:59 do not exist) and around it")
    for local in ("02:59:59.999", "03:00", "03:30:30", "03:59:59.999", "04:00"):
        row(b, f"2025-09-29 {local}", "6mo")
        row(b, f"2026-02-27 {local}", "30d")
        row(b, f"2025-03-29 {local}", "1y")
    section("Bucharest: expiry in the autumn night (03:00 to 03:59 happen twice), from summer and winter time")
    for local in ("02:59:59.999", "03:00", "03:30:30", "03:59:59.999", "04:00"):
        row(b, f"2026-04-25 {local}", "6mo")
        row(b, f"2026-01-25 {local}", "9mo")
        row(b, f"2026-09-25 {local}", "30d")
        row(b, f"2025-10-25 {local}", "1y")
        row(b, f"2024-10-25 {local}", "2y")
    section("Bucharest: starts in both nights")
    for fold in (0, 1):
        row(b, "2026-10-25 03:30", "6mo", fold)
        row(b, "2026-10-25 03:30", "1d", fold)
        row(b, "2026-10-25 03:30", "1y", fold)
        row(b, "2026-10-25 03:30", "6y", fold)  # the same night in 2032 is not the night
    row(b, "2026-10-25 03:30", "5y")
    row(b, "2020-10-25 03:30", "6y", 0)  # from one autumn night into another: both hours keep their own
    row(b, "2020-10-25 03:30", "6y", 1)
    row(b, "2026-03-29 02:59:59.999", "6mo")
    row(b, "2026-03-29 04:00", "6mo")
    row(b, "2026-03-29 04:00", "1y")
    section("after 2037, where the tables of the tz database end and the yearly rules begin")
    for zone in (b, "America/New_York", "Australia/Lord_Howe", "America/Nuuk", "Asia/Gaza", "Europe/Dublin",
                 "Pacific/Chatham", "Africa/Cairo", "America/Santiago", "Africa/Casablanca", "Asia/Kathmandu"):
        for local in ("2037-01-31 12:00", "2037-08-31 12:00", "2055-03-27 03:30", "2090-11-05 01:30", "2120-07-01 00:00"):
            for period in ("6mo", "1y", "100y"):
                row(zone, local, period)
    section("after 2037: both nights of years that only the yearly rules know")
    for time in ("00:59:59", "01:00", "01:30", "02:00", "02:30", "03:00", "03:30", "03:59:59.999", "04:00"):
        row(b, f"2049-09-27 {time}", "6mo")
        row(b, f"2050-04-30 {time}", "6mo")
        row(b, f"2050-01-30 {time}", "9mo")
        row("America/New_York", f"2050-05-06 {time}", "6mo")
        row("America/New_York", f"2050-02-06 {time}", "9mo")
        row("Australia/Lord_Howe", f"2050-10-03 {time}", "6mo")
        row("Australia/Lord_Howe", f"2050-06-03 {time}", "10mo")
        row("Europe/Dublin", f"2050-01-30 {time}", "9mo")
    section("other zones")
    for local in ("2026-08-31 23:30", "2027-08-31 00:30", "2028-02-29 12:00"):
        for zone in ("UTC", "Asia/Kathmandu", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"):
            row(zone, local, "6mo")
            row(zone, local, "1y")
            row(zone, local, "30d")
    section("New York: its own nights, 2026-03-08 and 2026-11-01")
    for local in ("01:59:59.999", "02:00", "02:30", "03:00"):
        row("America/New_York", f"2025-09-08 {local}", "6mo")
    for local in ("00:59:59.999", "01:00", "01:30", "02:00"):
        row("America/New_York", f"2026-05-01 {local}", "6mo")
        row("America/New_York", f"2026-02-01 {local}", "9mo")
    section("Lord Howe: half an hour of summer time, 2026-04-05 and 2026-10-04")
    for local in ("01:29", "01:30", "01:45", "02:00", "02:15", "02:30"):
        row("Australia/Lord_Howe", f"2025-10-05 {local}" if local not in ("02:00", "02:15") else f"2025-11-05 {local}",
            "6mo" if local not in ("02:00", "02:15") else "5mo")
        row("Australia/Lord_Howe", f"2026-07-05 {local}", "3mo")
        row("Australia/Lord_Howe", f"2026-07-04 {local}", "3mo")
    section("Apia: 2011-12-30 did not happen")
    for local in ("2011-06-30 00:00", "2011-06-30 12:34:56.789", "2011-06-30 23:59:59.999", "2011-06-29 23:59", "2011-12-29 12:00"):
        row("Pacific/Apia", local, "6mo")
        row("Pacific/Apia", local, "1d")
    section("a time that happens twice, and neither with the start's offset: the earlier")
    for local in ("2011-10-01 03:00", "2011-10-01 03:30", "2011-10-01 03:59:59.999"):
        row("Pacific/Apia", local, "6mo")
    head = "# zone, start, period => expiry in UTC, expiry in the zone. From make_golden.py.\n"
    (HERE / "expiry.txt").write_text(head + "\n".join(lines) + "\n")


def decisions():
    start = dt.datetime(2026, 5, 23, 7, 0, tzinfo=UTC)
    grace = start + dt.timedelta(hours=24)
    end = dt.datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
    changed = dt.datetime(2026, 6, 1, 9, 0, tzinfo=UTC)  # when consent was refused or withdrawn
    tick = dt.timedelta(milliseconds=1)
    lines = []

    def row(now, basis="consent", caller="granted", agent="unknown", since=start, hold="none", restricted=False, erase=False,
            running=False):
        fate, due = None, end
        if basis == "consent":
            if "pending" in (caller, agent):
                due = min(due, since + dt.timedelta(hours=24))
                if now >= since + dt.timedelta(hours=24):
                    fate = ("pending_too_long", since + dt.timedelta(hours=24))
            if now >= end:
                fate = ("period_over", end)
            if "withdrawn" in (caller, agent):
                fate = ("consent_withdrawn", since)
            if "refused" in (caller, agent):
                fate = ("consent_refused", since)
        elif now >= end:
            fate = ("period_over", end)
        if erase:
            fate = ("erasure_outstanding", now)
        open_ended = hold == "open"
        until = None if hold in ("none", "open") else hold
        stands = open_ended or (until is not None and until > now)
        if fate is None:
            out = ("keep", "not_due", max(due, until) if stands and until else due)
        elif stands:
            out = ("refuse", "held", max(fate[1], until) if until else fate[1])
        elif restricted:
            out = ("refuse", "restricted", fate[1])
        else:
            out = ("expire", *fate)
        lines.append(f"now={text(now)} start={text(start)} end={text(end)} basis={basis} caller={caller} agent={agent} "
                     f"since={text(since)} hold={text(until) if until else hold} restricted={int(restricted)} "
                     f"erase={int(erase)} running={int(running)} => {out[0]} {out[1]} {text(out[2])}")

    consents = ("unknown", "implied", "granted", "pending", "refused", "withdrawn")
    lines.append("# consents and bases, at the edges of the grace period and of the retention period")
    for basis in ("consent", "contract", "legal_obligation", "legitimate_interest"):
        for caller in consents:
            for agent in ("unknown", "granted", "pending", "refused", "withdrawn"):
                since = changed if {caller, agent} & {"refused", "withdrawn"} else start
                for now in (grace - tick, grace, end - tick, end):
                    if now >= since and (basis == "consent" or (agent == "unknown" and now >= end - tick)):
                        row(now, basis, caller, agent, since)
    lines.append("# holds and restrictions against every cause")
    causes = (dict(now=end - tick), dict(now=end), dict(now=grace, caller="pending"),
              dict(now=end - tick, caller="refused", since=changed), dict(now=end - tick, agent="withdrawn", since=changed),
              dict(now=end - tick, erase=True), dict(now=end, erase=True))
    for cause in causes:
        for hold in ("none", "open", cause["now"] - tick, cause["now"], cause["now"] + tick, end + dt.timedelta(days=90)):
            for restricted in (False, True):
                row(hold=hold, restricted=restricted, **cause)
    lines.append("# a call in progress is no exception")
    for cause in causes:
        row(running=True, **cause)
        row(running=True, hold="open", **cause)
    lines.append("# a hold that ends before the period does not shorten it")
    row(now=start, hold=changed)
    head = "# input => decision, reason, due. From make_golden.py; the rules are the table in retention/plan.h.\n"
    (HERE / "decisions.txt").write_text(head + "\n".join(lines) + "\n")


expiry()
decisions()
