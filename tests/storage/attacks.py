"""Single statements that would make something count without another person's word.

Each says which guard must refuse it. Names in braces are ids of the world of `test_guards`.
"""

from __future__ import annotations

from typing import NamedTuple


class Attack(NamedTuple):
    """One statement, and the guard that refuses it; `only` names the database that has it."""

    name: str
    sql: str
    guard: str
    only: str = ""


_NOW = "'2026-06-15 09:00:00.000000'"
_VERIFICATION = (
    "INSERT INTO verifications (id, claim_id, submission_id, verifier_id, decision, authority,"
    " channel, reciprocal, decided_at, revokes_id)"
    " VALUES (999, {claim}, {submission}, {verifier}, '{decision}', 'manager', 'sql', false,"
    f" {_NOW}, {{revokes}})"
)
_AWARD = (
    "INSERT INTO awards (id, badge_version_id, badge_key, person_id, period, status, awarded_on,"
    " expires_on) VALUES ({id}, {version}, '{badge}', {person}, '{period}', '{status}',"
    " '2026-06-15', '2027-06-15')"
)
_CLAIM = (
    "INSERT INTO claims (id, evidence_id, competency_id, state, origin, suggested)"
    " VALUES ({id}, {{e_learner}}, {{c4}}, '{state}', 'person', false)"
)
_BASIS = (
    "INSERT INTO award_basis (id, award_id, competency_id, verification_id, not_applicable_id)"
    " VALUES (999, {award}, {competency}, {verification}, {waived})"
)

_AGREEMENT = (
    "INSERT INTO post_agreements (id, post_id, target_groups, extra_competencies, agreed_by,"
    f" agreed_at) VALUES (999, {{{{p_learner}}}}, '[]', '[]', {{by}}, {_NOW})"
)


def _verification(
    claim: str, submission: str, verifier: str, decision: str = "verified", revokes: str = "NULL"
) -> str:
    return _VERIFICATION.format(
        claim=claim, submission=submission, verifier=verifier, decision=decision, revokes=revokes
    )


def _award(status: str = "held", **more: str) -> str:
    given = {
        "id": "999", "version": "{v_safe}", "badge": "safe", "person": "{other}",
        "period": "2026", "status": status,
    }  # fmt: skip
    return _AWARD.format(**{**given, **more})


def _basis(award: str, competency: str, verification: str = "NULL", waived: str = "NULL") -> str:
    return _BASIS.format(
        award=award, competency=competency, verification=verification, waived=waived
    )


_BY_ANOTHER = "guard_verifications_by_another"
_OF_SUBMITTED = "guard_verifications_of_submitted"
_ID = "guard_awards_identity"
_HELD = "guard_awards_held_on_verifications"
_CLAIM_ID = "guard_claims_identity"
_VERIFIED = "guard_claims_verified_by_verification"
_BASIS_V = "guard_award_basis_on_verification"
_BASIS_N = "guard_award_basis_not_applicable"
_STATES = "guard_target_states_desired"
_MERGES = "guard_people_follow_merges"
_BORN = "guard_people_born_themselves"
_TO_ANOTHER = "guard_submissions_to_another"

ATTACKS: tuple[Attack, ...] = (
    # --- claims: verified from nowhere
    Attack("claim born verified", _CLAIM.format(id=999, state="verified"),
           "guard_claims_born_suggested"),
    Attack("claim born submitted", _CLAIM.format(id=999, state="submitted"),
           "guard_claims_born_suggested"),
    Attack("suggested claim verified", "UPDATE claims SET state = 'verified' WHERE id = {k_draft}",
           _VERIFIED),
    Attack("submitted claim verified",
           "UPDATE claims SET state = 'verified' WHERE id = {k_submitted}", _VERIFIED),
    Attack("every claim verified", "UPDATE claims SET state = 'verified'", "guard_claims"),
    Attack("returned claim verified",
           "UPDATE claims SET state = 'verified' WHERE id = {k_returned}", _VERIFIED),
    Attack("resubmitted claim verified on an older word",
           "UPDATE claims SET state = 'verified' WHERE id = {k_stale}", _VERIFIED),
    Attack("revoked claim verified", "UPDATE claims SET state = 'verified' WHERE id = {k_revoked}",
           "guard_claims"),
    Attack("revoked claim submitted", "UPDATE claims SET state = 'submitted' WHERE id = {k_revoked}",
           "guard_claims_revoked_stays"),
    Attack("verified claim reopened", "UPDATE claims SET state = 'suggested' WHERE id = {k_learner}",
           "guard_claims_left_by_revocation"),
    Attack("verified claim revoked by nobody",
           "UPDATE claims SET state = 'revoked' WHERE id = {k_learner}",
           "guard_claims_left_by_revocation"),
    Attack("verified claim given to another's evidence",
           "UPDATE claims SET evidence_id = {e_other} WHERE id = {k_learner}", _CLAIM_ID),
    Attack("verified claim turned into another competency",
           "UPDATE claims SET competency_id = {c4} WHERE id = {k_learner}", _CLAIM_ID),
    Attack("claim ids swapped", "UPDATE claims SET id = id + 1000 WHERE id = {k_learner}",
           _CLAIM_ID),
    Attack("origin of a claim changed", "UPDATE claims SET origin = 'person' WHERE id = {k_draft}",
           _CLAIM_ID),
    Attack("claim deleted", "DELETE FROM claims WHERE id = {k_revoked}", "guard_claims_no_delete"),
    Attack("claim replaced by a verified one",
           "INSERT OR REPLACE INTO claims (id, evidence_id, competency_id, state, origin,"
           " suggested) VALUES ({k_draft}, {e_draft}, {c2}, 'verified', 'rule', true)",
           "guard_claims", "sqlite"),
    Attack("claim replaced on its way to being suggested",
           "INSERT OR REPLACE INTO claims (id, evidence_id, competency_id, state, origin,"
           " suggested) VALUES ({k_revoked}, {e_revoked}, {c1}, 'suggested', 'rule', true)",
           "guard_claims_no_delete", "sqlite"),
    Attack("update or replace of a claim",
           "UPDATE OR REPLACE claims SET state = 'verified' WHERE id = {k_submitted}",
           _VERIFIED, "sqlite"),
    Attack("update or ignore of a claim",
           "UPDATE OR IGNORE claims SET state = 'verified' WHERE id = {k_submitted}",
           _VERIFIED, "sqlite"),
    Attack("upsert of a claim",
           "INSERT INTO claims (id, evidence_id, competency_id, state, origin, suggested)"
           " VALUES ({k_submitted}, {e_other}, {c6}, 'suggested', 'rule', true)"
           " ON CONFLICT (id) DO UPDATE SET state = 'verified'", _VERIFIED),
    Attack("merge into claims",
           "MERGE INTO claims k USING (SELECT 1) s ON k.id = {k_submitted}"
           " WHEN MATCHED THEN UPDATE SET state = 'verified'", _VERIFIED, "postgresql"),
    Attack("verification and claim in one statement",
           "WITH v AS (" + _verification("{k_submitted}", "{s_other}", "{other}") + " RETURNING claim_id)"
           " UPDATE claims SET state = 'verified' WHERE id IN (SELECT claim_id FROM v)",
           "guard_verifications", "postgresql"),
    # --- evidence
    Attack("verified evidence given to another",
           "UPDATE evidence SET person_id = {other} WHERE id = {e_learner}",
           "guard_evidence_identity"),
    Attack("verified evidence turned into another activity",
           "UPDATE evidence SET activity_id = NULL WHERE id = {e_learner}",
           "guard_evidence_identity"),
    Attack("verified evidence made recent",
           "UPDATE evidence SET occurred_on = '2027-01-01' WHERE id = {e_learner}",
           "guard_evidence_identity"),
    Attack("evidence deleted", "DELETE FROM evidence WHERE id = {e_draft}",
           "guard_evidence_no_delete"),
    # --- submissions
    Attack("submission to oneself",
           "INSERT INTO submissions (id, evidence_id, reflection_id, verifier_id, submitted_at,"
           f" channel) VALUES (999, {{e_other}}, {{r_other}}, {{other}}, {_NOW}, 'sql')",
           _TO_ANOTHER),
    Attack("submission to one's own merged entry",
           "INSERT INTO submissions (id, evidence_id, reflection_id, verifier_id, submitted_at,"
           f" channel) VALUES (999, {{e_learner}}, {{r_learner}}, {{twin}}, {_NOW}, 'sql')",
           _TO_ANOTHER),
    Attack("submission with another's reflection",
           "INSERT INTO submissions (id, evidence_id, reflection_id, verifier_id, submitted_at,"
           f" channel) VALUES (999, {{e_other}}, {{r_learner}}, {{manager}}, {_NOW}, 'sql')",
           _TO_ANOTHER),
    Attack("submission given to an accomplice",
           "UPDATE submissions SET verifier_id = {stranger} WHERE id = {s_other}",
           "guard_submissions_no_update"),
    Attack("submission moved to other evidence",
           "UPDATE submissions SET evidence_id = {e_other}", "guard_submissions_no_update"),
    Attack("submission deleted", "DELETE FROM submissions WHERE id = {s_other}",
           "guard_submissions_no_delete"),
    Attack("another's claim slipped into a submission",
           "INSERT INTO submission_claims (submission_id, claim_id)"
           " VALUES ({s_other}, {k_draft})", "guard_submission_claims_own"),
    Attack("submitted claim exchanged",
           "UPDATE submission_claims SET claim_id = {k_draft} WHERE submission_id = {s_other}",
           "guard_submission_claims_no_update"),
    Attack("submitted claim taken out",
           "DELETE FROM submission_claims WHERE submission_id = {s_other}",
           "guard_submission_claims_no_delete"),
    Attack("reflection put under another name",
           "UPDATE reflections SET author_id = {other} WHERE id = {r_learner}",
           "guard_reflections_no_update"),
    Attack("reflection deleted", "DELETE FROM reflections WHERE id = {r_learner}",
           "guard_reflections_no_delete"),
    # --- verifications
    Attack("one's own claim verified",
           _verification("{k_submitted}", "{s_other}", "{other}"), "guard_verifications"),
    Attack("one's own claim verified as one's merged entry",
           _verification("{k_twin}", "{s_twin}", "{twin}"), "guard_verifications"),
    Attack("one's own claim upheld",
           _verification("{k_learner}", "{s_learner}", "{learner}", "upheld"), _BY_ANOTHER),
    Attack("verified by somebody not chosen",
           _verification("{k_submitted}", "{s_other}", "{stranger}"), _OF_SUBMITTED),
    Attack("suggestion verified", _verification("{k_draft}", "{s_learner}", "{manager}"),
           _OF_SUBMITTED),
    Attack("verified by an older submission",
           _verification("{k_stale}", "{s_stale}", "{manager}"), _OF_SUBMITTED),
    Attack("returned claim verified afterwards",
           _verification("{k_returned}", "{s_returned}", "{manager}"), _OF_SUBMITTED),
    Attack("revoked claim verified afterwards",
           _verification("{k_revoked}", "{s_revoked}", "{manager}"), _OF_SUBMITTED),
    Attack("a verification that revokes another",
           _verification("{k_submitted}", "{s_other}", "{manager}", "verified", "{x_learner}"),
           _OF_SUBMITTED),
    Attack("a submitted claim upheld",
           _verification("{k_submitted}", "{s_other}", "{manager}", "upheld"),
           "guard_verifications_of_verified"),
    Attack("another claim's verification revoked",
           _verification("{k_learner}", "{s_learner}", "{manager}", "revoked", "{x_stale}"),
           "guard_verifications_of_verified"),
    Attack("verification moved to another claim",
           "UPDATE verifications SET claim_id = {k_submitted} WHERE id = {x_learner}",
           "guard_verifications_no_update"),
    Attack("verification signed by oneself",
           "UPDATE verifications SET verifier_id = {learner} WHERE id = {x_learner}",
           "guard_verifications_no_update"),
    Attack("returned turned into verified",
           "UPDATE verifications SET decision = 'verified' WHERE decision = 'returned'",
           "guard_verifications_no_update"),
    Attack("verification made recent",
           "UPDATE verifications SET decided_at = '2030-01-01 00:00:00.000000'",
           "guard_verifications_no_update"),
    Attack("revocation undone", "UPDATE verifications SET revokes_id = NULL",
           "guard_verifications_no_update"),
    Attack("revocation deleted", "DELETE FROM verifications WHERE decision = 'revoked'",
           "guard_verifications_no_delete"),
    Attack("verification replaced",
           "INSERT OR REPLACE INTO verifications (id, claim_id, submission_id, verifier_id,"
           " decision, authority, channel, reciprocal, decided_at) VALUES ({x_revoked},"
           f" {{k_submitted}}, {{s_other}}, {{manager}}, 'verified', 'm', 'sql', false, {_NOW})",
           "guard_verifications_no_delete", "sqlite"),
    # --- awards
    Attack("award born held", _award(), "guard_awards_born_assembling"),
    Attack("award born withdrawn", _award("withdrawn"), "guard_awards_born_assembling"),
    Attack("award taken by another", "UPDATE awards SET person_id = {other} WHERE id = {a_held}",
           _ID),
    Attack("award for another period", "UPDATE awards SET period = '2027' WHERE id = {a_held}", _ID),
    Attack("award renamed", "UPDATE awards SET badge_key = 'hard' WHERE id = {a_held}", _ID),
    Attack("held award of another badge",
           "UPDATE awards SET badge_version_id = {v_hard}, badge_key = 'hard' WHERE id = {a_held}",
           _ID),
    Attack("held award of another version",
           "UPDATE awards SET badge_version_id = {v_hard} WHERE id = {a_held}", _ID),
    Attack("held award for longer",
           "UPDATE awards SET expires_on = '2099-01-01' WHERE id = {a_held}", _ID),
    Attack("held award dated back",
           "UPDATE awards SET awarded_on = '2020-01-01' WHERE id = {a_held}", _ID),
    Attack("withdrawn award held again",
           "UPDATE awards SET status = 'held' WHERE id = {a_withdrawn}", _HELD),
    Attack("withdrawn award held again, differently spelt",
           "UPDATE awards SET status = 'held', withdrawn_at = NULL, withdrawn_reason = NULL"
           " WHERE status = 'withdrawn'", _HELD),
    Attack("award held on nothing", "UPDATE awards SET status = 'held' WHERE id = {a_empty}", _HELD),
    Attack("award held on half", "UPDATE awards SET status = 'held' WHERE id = {a_half}", _HELD),
    Attack("award held on another badge's easier version",
           "UPDATE awards SET status = 'held' WHERE id = {a_mixed}", _HELD),
    Attack("award of a badge that names nothing",
           "UPDATE awards SET status = 'held' WHERE id = {a_void}", _HELD),
    Attack("award held on contested claims",
           "UPDATE awards SET status = 'held' WHERE id = {a_contested}", _HELD),
    Attack("award held on one's own word since a merge",
           "UPDATE awards SET status = 'held' WHERE id = {a_merged}", _HELD),
    Attack("award held on an exemption that was ended",
           "UPDATE awards SET status = 'held' WHERE id = {a_waived}", _HELD),
    Attack("award deleted", "DELETE FROM awards WHERE id = {a_withdrawn}", "guard_awards_no_delete"),
    Attack("award upserted",
           _award("assembling", id="{a_withdrawn}", person="{revoked}")
           + " ON CONFLICT (id) DO UPDATE SET status = 'held'", _HELD),
    Attack("award replaced",
           _award("assembling", id="{a_withdrawn}", person="{other}").replace(
               "INSERT", "INSERT OR REPLACE"), "guard_awards_no_delete", "sqlite"),
    # --- what awards rest on
    Attack("another's verification as basis", _basis("{a_empty}", "{c1}", "{x_learner}"), _BASIS_V),
    Attack("a revoked verification as basis", _basis("{a_withdrawn}", "{c1}", "{x_revoked}"),
           _BASIS_V),
    Attack("a verification of something else as basis", _basis("{a_held}", "{c4}", "{x_learner}"),
           _BASIS_V),
    Attack("a contested claim as basis", _basis("{a_contested}", "{c2}", "{x2_contested}"), _BASIS_V),
    Attack("one's own word as basis", _basis("{a_merged}", "{c2}", "{x2_merging}"), _BASIS_V),
    Attack("a return as basis", _basis("{a_empty}", "{c2}", "{x_returned}"), _BASIS_V),
    Attack("another's exemption as basis", _basis("{a_held}", "{c4}", waived="{n_other}"), _BASIS_N),
    Attack("an ended exemption as basis", _basis("{a_held}", "{c5}", waived="{n_ended}"), _BASIS_N),
    Attack("an exemption from something else as basis",
           _basis("{a_empty}", "{c1}", waived="{n_other}"), _BASIS_N),
    Attack("basis given to another award",
           "UPDATE award_basis SET award_id = {a_empty} WHERE award_id = {a_held}",
           "guard_award_basis_no_update"),
    Attack("basis resting on another competency",
           "UPDATE award_basis SET competency_id = {c2} WHERE award_id = {a_half}",
           "guard_award_basis_no_update"),
    Attack("revoked basis taken out", "DELETE FROM award_basis WHERE award_id = {a_withdrawn}",
           "guard_award_basis_no_delete"),
    Attack("not applicable by oneself",
           "INSERT INTO not_applicable (id, person_id, competency_id, decided_by, reason,"
           f" decided_at) VALUES (999, {{other}}, {{c1}}, {{other}}, 'no', {_NOW})",
           "guard_not_applicable_by_another"),
    Attack("not applicable by one's merged entry",
           "INSERT INTO not_applicable (id, person_id, competency_id, decided_by, reason,"
           f" decided_at) VALUES (999, {{learner}}, {{c4}}, {{twin}}, 'no', {_NOW})",
           "guard_not_applicable_by_another"),
    Attack("exemption taken by another",
           "UPDATE not_applicable SET person_id = {learner} WHERE id = {n_other}",
           "guard_not_applicable_identity"),
    Attack("exemption from something else",
           "UPDATE not_applicable SET competency_id = {c1} WHERE id = {n_other}",
           "guard_not_applicable_identity"),
    Attack("ended exemption in force again",
           "UPDATE not_applicable SET ended_at = NULL WHERE id = {n_ended}",
           "guard_not_applicable_identity"),
    Attack("exemption deleted", "DELETE FROM not_applicable WHERE id = {n_ended}",
           "guard_not_applicable_no_delete"),
    # --- what badges ask for
    Attack("a requirement dropped", "DELETE FROM badge_requirements WHERE badge_version_id = {v_hard}",
           "guard_badge_requirements_no_delete"),
    Attack("a requirement eased",
           "UPDATE badge_requirements SET competency_id = {c1} WHERE competency_id = {c4}",
           "guard_badge_requirements_no_update"),
    Attack("a requirement added to a badge people hold",
           "INSERT INTO badge_requirements (badge_version_id, competency_id)"
           " VALUES ({v_safe}, {c4})", "guard_badge_requirements_before_awards"),
    Attack("an easy badge named as a hard one",
           "UPDATE badge_versions SET key = 'hard', version = 9 WHERE id = {v_easy}",
           "guard_badge_versions_published"),
    Attack("a badge defined anew", "UPDATE badge_versions SET definition = '{{}}'",
           "guard_badge_versions_published"),
    Attack("a badge version deleted", "DELETE FROM badge_versions WHERE id = {v_void}",
           "guard_badge_versions_no_delete"),
    Attack("a competency reworded after it was verified",
           "UPDATE competencies SET text = 'Everything' WHERE id = {c1}",
           "guard_competencies_no_update"),
    Attack("competencies deleted", "DELETE FROM competencies WHERE id = {c6}",
           "guard_competencies_no_delete"),
    Attack("a published edition changed", "UPDATE framework_editions SET document = '{{}}'",
           "guard_framework_editions_no_update"),
    Attack("a published edition deleted", "DELETE FROM framework_editions",
           "guard_framework_editions_no_delete"),
    # --- targets
    Attack("withdrawn award pushed anew",
           "UPDATE target_states SET desired = 'held' WHERE id = {t_withdrawn}", _STATES),
    Attack("every state held", "UPDATE target_states SET desired = 'held'", _STATES),
    Attack("a push moved to another award",
           "UPDATE target_states SET award_id = {a_empty} WHERE id = {t_held}", _STATES),
    Attack("a push into another cohort",
           "UPDATE target_states SET settings = '{{\"cohort\":\"hard-2026\"}}' WHERE id = {t_held}",
           _STATES),
    Attack("an award pushed before it is held",
           "INSERT INTO target_states (id, award_id, target_id, settings, desired)"
           " VALUES (999, {a_empty}, {target}, '{{}}', 'held')", "guard_target_states_born"),
    Attack("a push upserted",
           "INSERT INTO target_states (id, award_id, target_id, settings, desired)"
           " VALUES ({t_withdrawn}, {a_held}, {target}, '{{}}', 'held')"
           " ON CONFLICT (id) DO UPDATE SET desired = 'held'", _STATES),
    # --- logs: signed once, by another, and then added to only
    Attack("one's own log signed",
           f"UPDATE logs SET signed_at = {_NOW}, signed_by = {{learner}} WHERE id = {{l_open}}",
           "guard_logs_signed_by_another"),
    Attack("one's own log signed as one's merged entry",
           f"UPDATE logs SET signed_at = {_NOW}, signed_by = {{twin}} WHERE id = {{l_open}}",
           "guard_logs_signed_by_another"),
    Attack("a log signed by nobody", f"UPDATE logs SET signed_at = {_NOW} WHERE id = {{l_open}}",
           "guard_logs_signed_by_another"),
    Attack("a log signed at no time", "UPDATE logs SET signed_by = {manager} WHERE id = {l_open}",
           "guard_logs_signed_by_another"),
    Attack("a log born signed",
           "INSERT INTO logs (id, person_id, starts_on, ends_on, signed_at, signed_by)"
           f" VALUES (999, {{other}}, '2001-01-01', '2002-01-01', {_NOW}, {{manager}})",
           "guard_logs_born_unsigned"),
    Attack("a signed log made unsigned",
           "UPDATE logs SET signed_at = NULL, signed_by = NULL WHERE id = {l_signed}",
           "guard_logs_signed_stays"),
    Attack("a signed log signed by another",
           "UPDATE logs SET signed_by = {boss} WHERE id = {l_signed}", "guard_logs_signed_stays"),
    Attack("what was agreed at a sign-off reworded",
           "UPDATE logs SET next_steps = NULL WHERE id = {l_signed}", "guard_logs_signed_stays"),
    Attack("a signed log for another year",
           "UPDATE logs SET starts_on = '2003-01-01' WHERE id = {l_signed}",
           "guard_logs_signed_stays"),
    Attack("a signed log given to another", "UPDATE logs SET person_id = {other} WHERE id = {l_signed}",
           "guard_logs_signed_stays"),
    Attack("a log deleted", "DELETE FROM logs WHERE id = {l_signed}", "guard_logs_no_delete"),
    Attack("an addendum reworded", "UPDATE log_addenda SET key_id = 'other'",
           "guard_log_addenda_no_update"),
    Attack("an addendum deleted", "DELETE FROM log_addenda", "guard_log_addenda_no_delete"),
    # --- words that are somebody's own
    Attack("words put into another's mouth",
           "INSERT INTO reflection_drafts (evidence_id, author_id, ciphertext, key_id, saved_at)"
           f" VALUES ({{e_other}}, {{manager}}, 'x', 'k1', {_NOW})",
           "guard_reflection_drafts_own_insert"),
    Attack("another's draft taken over",
           "UPDATE reflection_drafts SET author_id = {manager} WHERE evidence_id = {e_draft}",
           "guard_reflection_drafts_own_update"),
    Attack("a draft moved to another's evidence",
           "UPDATE reflection_drafts SET evidence_id = {e_other} WHERE evidence_id = {e_draft}",
           "guard_reflection_drafts_own_update"),
    Attack("a file slipped into another's evidence",
           "INSERT INTO evidence_files (id, evidence_id, name, media_type, size, ciphertext, key_id,"
           " added_by, added_at) VALUES (999, {e_other}, 'a.pdf', 'application/pdf', 1, 'x', 'k1',"
           f" {{manager}}, {_NOW})", "guard_evidence_files_own"),
    Attack("a file exchanged", "UPDATE evidence_files SET ciphertext = 'y'",
           "guard_evidence_files_identity"),
    Attack("a file moved to other evidence", "UPDATE evidence_files SET evidence_id = {e_other}",
           "guard_evidence_files_identity"),
    Attack("a file removed and its bytes kept", f"UPDATE evidence_files SET removed_at = {_NOW}",
           "guard_evidence_files_identity"),
    Attack("a file deleted", "DELETE FROM evidence_files", "guard_evidence_files_no_delete"),
    # --- what is asked of somebody, and who stands in
    Attack("an agreement with oneself", _AGREEMENT.format(by="{learner}"),
           "guard_post_agreements_by_another"),
    Attack("an agreement with one's merged entry", _AGREEMENT.format(by="{twin}"),
           "guard_post_agreements_by_another"),
    Attack("an agreement made easier", "UPDATE post_agreements SET target_groups = '[]'",
           "guard_post_agreements_no_update"),
    Attack("an agreement deleted", "DELETE FROM post_agreements",
           "guard_post_agreements_no_delete"),
    Attack("one's own deputy",
           "INSERT INTO deputies (id, manager_id, deputy_id, valid_from, named_by, named_at)"
           f" VALUES (999, {{manager}}, {{manager}}, '2026-06-15', 'sql', {_NOW})",
           "guard_deputies_another"),
    Attack("a deputy who is one's merged entry",
           "INSERT INTO deputies (id, manager_id, deputy_id, valid_from, named_by, named_at)"
           f" VALUES (999, {{learner}}, {{twin}}, '2026-06-15', 'sql', {_NOW})",
           "guard_deputies_another"),
    Attack("a deputy exchanged", "UPDATE deputies SET deputy_id = {other}",
           "guard_deputies_identity"),
    Attack("a deputy of another manager", "UPDATE deputies SET manager_id = {stranger}",
           "guard_deputies_identity"),
    Attack("a deputy named earlier", "UPDATE deputies SET valid_from = '2001-01-01'",
           "guard_deputies_identity"),
    Attack("a deputy forgotten", "DELETE FROM deputies", "guard_deputies_no_delete"),
    # --- what people said of activities and accounts
    Attack("a join that joins others", "UPDATE activity_joins SET into_id = activity_id",
           "guard_activity_joins_only_ended"),
    Attack("a join deleted", "DELETE FROM activity_joins", "guard_activity_joins_no_delete"),
    Attack("an answer about another account", "UPDATE account_answers SET refused = '[7]'",
           "guard_account_answers_only_ended"),
    Attack("an answer deleted", "DELETE FROM account_answers", "guard_account_answers_no_delete"),
    Attack("a split forgotten", "DELETE FROM split_records", "guard_split_records_no_delete"),
    Attack("a split moved", "UPDATE split_records SET evidence_id = {e_other}",
           "guard_split_records_no_update"),
    # --- the door
    Attack("a used link made fresh", "UPDATE one_time_links SET used_at = NULL WHERE id = {o_used}",
           "guard_one_time_links_used_once"),
    Attack("a used link used again", f"UPDATE one_time_links SET used_at = {_NOW} WHERE id = {{o_used}}",
           "guard_one_time_links_used_once"),
    Attack("a verifier's link widened to a sign-in",
           "UPDATE one_time_links SET purpose = 'sign-in', evidence_id = NULL WHERE id = {o_fresh}",
           "guard_one_time_links_used_once"),
    Attack("a link that opens another's door",
           "UPDATE one_time_links SET person_id = {boss} WHERE id = {o_fresh}",
           "guard_one_time_links_used_once"),
    Attack("a link that never runs out",
           "UPDATE one_time_links SET expires_at = '2099-01-01 00:00:00.000000'"
           " WHERE id = {o_fresh}", "guard_one_time_links_used_once"),
    Attack("an answered handshake answered again", "UPDATE handshakes SET used_at = NULL",
           "guard_handshakes_used_once"),
    Attack("a handshake with another's nonce",
           f"UPDATE handshakes SET nonce_sha256 = 'x', used_at = {_NOW}",
           "guard_handshakes_used_once"),
    # --- who is who
    Attack("a merged entry made another person, to verify oneself",
           "UPDATE people SET canonical_id = id WHERE id = {twin}", _MERGES),
    Attack("a merged entry joined to the verifier",
           "UPDATE people SET canonical_id = {manager} WHERE id = {twin}", _MERGES),
    Attack("another's awards taken by becoming them",
           "UPDATE people SET canonical_id = {learner} WHERE id = {other}", _MERGES),
    Attack("everybody made one", "UPDATE people SET canonical_id = {learner}", _MERGES),
    Attack("an id changed", "UPDATE people SET id = 999, canonical_id = 999 WHERE id = {stranger}",
           _MERGES),
    Attack("somebody born as another",
           "INSERT INTO people (id, display_name, canonical_id, created_at)"
           f" VALUES (999, 'X', {{learner}}, {_NOW})", _BORN),
    Attack("a merged entry replaced by a person of its own",
           "INSERT OR REPLACE INTO people (id, display_name, canonical_id, created_at)"
           f" VALUES ({{twin}}, 'X', {{twin}}, {_NOW})", _BORN, "sqlite"),
    Attack("a merge pointed elsewhere", "UPDATE person_merges SET into_id = {other}",
           "guard_person_merges_only_undone"),
    Attack("an undone merge in force again",
           "UPDATE person_merges SET undone_at = NULL WHERE undone_at IS NOT NULL",
           "guard_person_merges_only_undone"),
    Attack("a merge deleted", "DELETE FROM person_merges", "guard_person_merges_no_delete"),
    # --- the trail
    Attack("the trail reworded", "UPDATE audit SET actor = 'nobody'", "guard_audit_no_update"),
    Attack("the trail cut", "DELETE FROM audit", "guard_audit_no_delete"),
    # --- TRUNCATE passes row triggers by
    *(
        Attack(f"truncate {table}", f"TRUNCATE {table} CASCADE", "", "postgresql")
        for table in ("verifications", "award_basis", "audit", "people", "claims", "submissions",
                      "badge_requirements", "badge_versions", "framework_editions",
                      "not_applicable", "awards", "person_merges", "reflections", "logs",
                      "log_addenda", "post_agreements", "deputies")
    ),
)  # fmt: skip

#: Statements that the database takes, because nothing comes to count by them.
HARMLESS: dict[str, str] = {
    "a claim sent round again": "UPDATE claims SET state = 'submitted' WHERE id = {k_returned}",
    "a contest forgotten": "UPDATE claims SET contested_at = NULL, contested_reason = NULL",
    "a suggestion added": _CLAIM.format(id=999, state="suggested"),
    "an award begun": _award("assembling", period="2031"),
    "a held award taken apart": "UPDATE awards SET status = 'assembling' WHERE id = {a_held}",
    "a harder badge under the same award": "UPDATE awards SET status = 'assembling',"
    " badge_version_id = {v_hard} WHERE id = {a_held}",
    "an observation forged": "UPDATE target_states SET observed = 'held'",
    "everybody their own manager": "UPDATE posts SET manager_id = person_id",
    "somebody approved": "INSERT INTO verifier_approvals (id, person_id, kind, approved_at,"
    f" approved_by) VALUES (999, {{other}}, 'peer', {_NOW}, 'sql')",
    "a merge noted alone": "INSERT INTO person_merges (id, person_id, into_id, reason, merged_at,"
    f" merged_by) VALUES (999, {{other}}, {{learner}}, 'x', {_NOW}, 'sql')",
    "merges undone alone": f"UPDATE person_merges SET undone_at = {_NOW} WHERE undone_at IS NULL",
    "support moved": "UPDATE evidence_records SET evidence_id = {e_learner}",
    "everybody looked at": "UPDATE people SET awards_pending = true",
}
