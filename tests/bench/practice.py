"""What a partnership's people have done, made up but lifelike: from records to awards."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from bridge.domain.model import BadgeInForce
from bridge.domain.times import add_months
from bridge.storage.vault import KeyVault
from tests.bench.copying import Copier, cell
from tests.bench.crowd import Someone, name_of

COLUMNS: dict[str, tuple[str, ...]] = {
    "envelopes": ("id", "sha256", "body"),
    "received": ("id", "source_id", "natural_key", "sha256", "body", "envelope_id", "received_at"),
    "quarantine": ("received_id", "code", "message", "since"),
    "learning_records": ("id", "received_id", "account_id", "alias_id", "status", "occurred_at",
                         "precision", "cycle", "disposition", "reason", "rule_id"),
    "evidence": ("id", "person_id", "organisation_id", "origin", "activity_id", "title",
                 "learning_activity", "delivery", "verification", "occurred_at", "occurred_on",
                 "created_at", "log_id"),
    "evidence_records": ("record_id", "evidence_id"),
    "claims": ("id", "evidence_id", "competency_id", "state", "origin", "rule_id", "suggested",
               "touched_at", "contested_at", "contested_reason"),
    "reflections": ("id", "evidence_id", "version", "ciphertext", "key_id", "author_id",
                    "written_at"),
    "submissions": ("id", "evidence_id", "reflection_id", "verifier_id", "submitted_at", "channel"),
    "submission_claims": ("submission_id", "claim_id"),
    "verifications": ("id", "claim_id", "submission_id", "verifier_id", "decision", "method",
                      "authority", "channel", "decided_at", "revokes_id"),
    "logs": ("id", "person_id", "starts_on", "ends_on"),
    "not_applicable": ("id", "person_id", "competency_id", "decided_by", "reason", "decided_at"),
    "awards": ("id", "badge_version_id", "badge_key", "person_id", "period", "status",
               "awarded_on", "expires_on"),
    "award_basis": ("award_id", "competency_id", "verification_id"),
    "targets": ("id", "key", "kind"),
    "target_states": ("id", "award_id", "target_id", "settings", "account_id", "desired",
                      "observed", "observed_at", "attempts", "next_at", "error", "needs_you"),
    "outbox": ("kind", "dedupe_key", "payload", "created_at", "done_at", "person_id"),
    "audit": ("at", "actor", "channel", "os_user", "act", "subject", "detail"),
}  # fmt: skip

#: Of the evidence of the last 12 months: how it stands. Whatever is older was decided.
_YOUNG = (("draft", 40), ("submitted", 12), ("returned", 5), ("verified", 38), ("dismissed", 4),
          ("withdrawn", 1))  # fmt: skip
_OLD = (("verified", 92), ("dismissed", 6), ("withdrawn", 2))
_WORDS = ("I recognised the signs of neglect sooner and knew whom to tell. ",
          "We talked it through in supervision and changed how we record the child's words. ",
          "Asking the open question first made the difference with this family. ")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Course:
    """An activity that a rule maps, with what it suggests (competency keys)."""

    alias: int
    activity: int
    title: str
    rule: int
    competencies: tuple[int, ...]
    learning_activity: str


@dataclass
class Practice:
    """Writes the work of a crowd. `today` is the London date on which everything is looked at."""

    copier: Copier
    rng: random.Random
    vault: KeyVault
    today: date
    courses: Sequence[Course]
    unmapped: Sequence[int]
    evidence: int = 0
    claims: int = 0
    records: int = 0
    submissions: int = 0
    verifications: int = 0
    logs: int = 0
    #: (person, competency) to the newest verification in force: its key and day.
    standing: dict[int, dict[int, tuple[int, date]]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    _days: dict[date, str] = field(default_factory=dict)
    _logs: dict[tuple[int, int], int] = field(default_factory=dict)

    def work(self, crowd: Sequence[Someone], claims: int) -> None:
        """Give everybody some evidence, a few a great deal, until there are that many claims."""
        self.copier.row("envelopes", 1, bytes(32), b"{}")
        most = min(400, max(20, claims // 200))
        for someone in crowd:
            if someone.id == 2:
                self._evidence_of(someone, most)
            elif someone.id <= 61:
                self._evidence_of(someone, 6)
            elif someone.id % 13:
                self._evidence_of(someone, self._count(most))
            self._other_records(someone)
            if self.claims > claims * 0.97:
                break
        while self.claims < claims:
            self._evidence_of(self.rng.choice(crowd), 1)
        self._strangers(max(5, len(crowd) // 40))

    def _count(self, most: int) -> int:
        chance = self.rng.random()
        if chance < 0.0003:
            return self.rng.randint(most // 4, most // 2)
        return self.rng.randint(8, 25) if chance < 0.02 else self.rng.randint(0, 4)

    def _moment(self, day: date) -> str:
        return (
            f"{day.isoformat()} {8 + self.rng.randrange(10):02}:{self.rng.randrange(60):02}:00+00"
        )

    def _back(self) -> date:
        """A day: mostly of the last year."""
        days = self.rng.randrange(360) if self.rng.random() < 0.75 else self.rng.randrange(1100)
        return self.today - timedelta(days=days + 1)

    def _record(
        self, account: int, alias: int, day: date, disposition: str, reason: str, rule: int | None
    ) -> int:
        self.records += 1
        number, moment = self.records, self._moment(day)
        body = f'{{"user":{account},"course":{alias},"completed":"{moment}","n":{number}}}'
        self.copier.line("received", f"{number}\t1\t{account}:{alias}:{number}\t\\\\x{number:064x}"
                         f"\t\\\\x{body.encode().hex()}\t1\t{moment}")  # fmt: skip
        if disposition == "quarantined":
            self.copier.row("quarantine", number, "no-date", "The completion has no date.", moment)
            return number
        self.copier.line("learning_records", f"{number}\t{number}\t{account}\t{alias}\tcompleted"
                         f"\t{moment}\tminute\t{moment[:16]}\t{disposition}\t{reason}"
                         f"\t{rule or chr(92) + 'N'}")  # fmt: skip
        return number

    def _evidence_of(self, someone: Someone, count: int) -> None:
        for _ in range(count):
            self._one(someone, self.rng.choice(self.courses), self._back())

    def _one(self, someone: Someone, course: Course, day: date) -> None:
        self.evidence += 1
        number = self.evidence
        own = someone.account is None or self.rng.random() < 0.1
        young = day > add_months(self.today, -12)
        shares = _YOUNG if young else _OLD
        stands = self.rng.choices([s for s, _ in shares], [w for _, w in shares])[0]
        decided = stands in ("submitted", "returned", "verified")
        if someone.manager is None and decided:
            stands, decided = "draft" if young else "dismissed", False
        null = "\\N"
        log = str(self._log(someone, day)) if decided else null
        origin, rule = ("own", null) if own else ("record", str(course.rule))
        moment = self._moment(day)
        self.copier.line(
            "evidence",
            f"{number}\t{someone.id}\t{someone.organisation or null}\t{origin}"
            f"\t{null if own else course.activity}\t{course.title}\t{course.learning_activity}"
            f"\t{null}\tmanager\t{moment}\t{day}\t{moment}\t{log}",
        )
        if not own and someone.account is not None:
            record = self._record(
                someone.account, course.alias, day, "evidence", "counts", course.rule
            )
            self.copier.line("evidence_records", f"{record}\t{number}")
        submission, manager, later = null, someone.manager, self._moment(self._later(day))
        if decided and manager is not None:
            submission = str(self._submit(someone, number, manager, later))
        for competency in course.competencies:
            self._claim(number, competency, own, rule, stands, later)
            if decided and manager is not None:
                self.copier.line("submission_claims", f"{submission}\t{self.claims}")
                if stands != "submitted":
                    self._decide(someone, competency, submission, manager, stands, later)

    def _later(self, day: date) -> date:
        return min(self.today, day + timedelta(days=self.rng.randrange(1, 40)))

    def _log(self, someone: Someone, day: date) -> int:
        """The log of that day: years run from the first of April (R4)."""
        year = day.year - (day.month < 4)
        if (someone.id, year) not in self._logs:
            self.logs += 1
            self._logs[someone.id, year] = self.logs
            self.copier.row("logs", self.logs, someone.id, date(year, 4, 1), date(year + 1, 4, 1))
        return self._logs[someone.id, year]

    def _claim(
        self, evidence: int, competency: int, own: bool, rule: str, stands: str, later: str
    ) -> None:
        self.claims += 1
        state = {"draft": "suggested"}.get(stands, stands)
        origin, suggested = (
            ("person", "f") if own else ("rule", "f" if state == "withdrawn" else "t")
        )
        touched = "\\N" if state in ("suggested", "withdrawn") else later
        contested, why = "\\N", "\\N"
        if state == "verified" and self.claims % 331 == 0:
            contested, why = later, "source-gone"
        self.copier.line("claims", f"{self.claims}\t{evidence}\t{competency}\t{state}\t{origin}"
                         f"\t{rule}\t{suggested}\t{touched}\t{contested}\t{why}")  # fmt: skip

    def _submit(self, someone: Someone, evidence: int, manager: int, later: str) -> int:
        self.submissions += 1
        words = _WORDS[evidence % 3] * (1 + evidence % 5 + 40 * (evidence % 503 == 0))
        text = f'{{"reflection": "{words}", "used": "In my visits."}}'
        sealed, key = self.vault.seal(text, f"reflection:{evidence}:1")
        self.copier.line("reflections", f"{self.submissions}\t{evidence}\t1\t{cell(sealed)}\t{key}"
                         f"\t{someone.id}\t{later}")  # fmt: skip
        self.copier.line("submissions", f"{self.submissions}\t{evidence}\t{self.submissions}"
                         f"\t{manager}\t{later}\tweb")  # fmt: skip
        self._trail(later, someone.id, "submit", f"evidence:{evidence}")
        return self.submissions

    def _trail(self, moment: str, person: int, act: str, subject: str) -> None:
        self.copier.line("audit", f"{moment}\tperson:{person}\tweb\t\t{act}\t{subject}\t{{}}")

    def _decide(
        self,
        someone: Someone,
        competency: int,
        submission: str,
        manager: int,
        decision: str,
        later: str,
    ) -> None:
        self.verifications += 1
        number = self.verifications
        self.copier.line("verifications", f"{number}\t{self.claims}\t{submission}\t{manager}"
                         f"\t{decision}\tsupervision\tmanager\tweb\t{later}\t\\N")  # fmt: skip
        day = date.fromisoformat(later[:10])
        if decision == "verified" and self.claims % 331:
            before = self.standing[someone.id].get(competency)
            if before is None or before[1] <= day:
                self.standing[someone.id][competency] = number, day
            self._trail(later, manager, "verify", f"claim:{self.claims}")

    def _other_records(self, someone: Someone) -> None:
        """What came of their other learning: unmapped, too old, not readable."""
        account = someone.account
        if account is None:
            return
        if account % 3 == 0:
            alias = self.rng.choice(self.unmapped)
            self._record(account, alias, self._back(), "unmapped", "no-rule", None)
        if account % 2 == 0:
            course = self.rng.choice(self.courses)
            day = self.today - timedelta(days=self.rng.randint(380, 1500))
            self._record(account, course.alias, day, "not counting", "too-old", course.rule)
        if account % 150 == 0:
            self._record(account, self.courses[0].alias, self.today, "quarantined", "", None)

    def _strangers(self, count: int) -> None:
        """Accounts that belong to nobody, with records that would count."""
        for number in range(count):
            account = 10_000_000 + number
            email = f"{number}@x.example"
            self.copier.row("accounts", account, 1, "moodle-user", str(account), email, None,
                            f"u{number}", name_of(number), False)  # fmt: skip
            for course in self.rng.sample(self.courses, self.rng.randint(1, 4)):
                self._record(
                    account, course.alias, self._back(), "unmatched", "nobody", course.rule
                )

    def award(self, badges: Sequence[BadgeInForce], crowd: Sequence[Someone]) -> int:
        """Give everybody the badges that their verifications in force earn; how many."""
        self.copier.row("targets", 1, "moodle", "moodle")
        made = 0
        for someone in crowd:
            held = self.standing.get(someone.id, {})
            for badge in badges:
                if badge.required and all(c in held for c in badge.required):
                    made += 1
                    self._held(made, badge, someone, [held[c] for c in badge.required])
        return made

    def _held(
        self, award: int, badge: BadgeInForce, someone: Someone, basis: list[tuple[int, date]]
    ) -> None:
        day, ends = max(d for _, d in basis), add_months(min(d for _, d in basis), 12)
        self.copier.row(
            "awards", award, badge.id, badge.key, someone.id, day.year, "held", day, ends
        )
        for competency, (verification, _) in zip(badge.required, basis, strict=True):
            self.copier.row("award_basis", award, competency, verification)
        for _, settings in badge.targets:
            filled = ",".join(
                f'"{name}":"{value.replace("{year}", str(day.year))}"'
                for name, value in sorted(settings.items())
            )
            moment = f"{day} 20:00:00+00"
            observed: str | None = "held" if award % 11 else None
            error = "The target took it and does not show it yet." if award % 22 == 0 else None
            needs = (
                f"{name_of(someone.id)} has no account on this Moodle." if award % 33 == 0 else None
            )
            self.copier.row("target_states", award, award, 1, "{" + filled + "}", someone.account,
                            "held", observed, moment if observed else None, 0 if observed else 3,
                            None, error, needs)  # fmt: skip
        self.copier.row("outbox", "mail:awarded", f"mail:awarded:{award}", f'{{"award":{award}}}',
                        f"{day} 20:00:00+00", f"{day} 20:05:00+00", someone.id)  # fmt: skip
