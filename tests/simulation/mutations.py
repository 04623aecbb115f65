"""One dangerous change of the product at a time, and the test that catches it.

    python -m tests.simulation.mutations [NAME…]

applies each in a temporary copy of the sources and runs its test there; with `--machine` the fault machine.
Exit code 0 where every one is caught. A change replaces a text that occurs exactly once in its file.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_PACKAGE = Path("layers/grant_broker/grant_broker")
_COPIED = ("layers", "functions", "tests", "template.yaml", "pyproject.toml", "README.md")
_FAILED = 1  # pytest's exit code where tests ran and failed; others say that none ran
MACHINE = "tests/property/faults/test_machine.py"


@dataclass(frozen=True)
class Mutation:
    """In `file` of the package `old` becomes `new`; `test`, a node of pytest, fails then."""

    name: str
    file: str
    old: str
    new: str
    test: str

    def applied(self, root: Path) -> str:
        """The file's text with the change; ValueError unless the old text occurs exactly once."""
        text = (root / _PACKAGE / self.file).read_text(encoding="utf-8")
        if (found := text.count(self.old)) != 1:
            raise ValueError(f"{self.name}: the text to replace occurs {found} times in {self.file}")
        return text.replace(self.old, self.new)


_DECISIONS = "tests/integration/approvals/test_decisions.py"
_QUORUM = "tests/integration/approvals/test_quorum.py"
_OWNERSHIP = "tests/integration/reconcile/test_ownership.py"
_ISSUES = "tests/integration/requests/test_issue_failures.py"
_APPROVERS = "tests/integration/approvals/test_approvers.py"
_RATE = "tests/integration/expiry/test_rate.py"
_LOOKS = "tests/integration/approvals/test_recertification.py"
_REVOKED = "tests/integration/approvals/test_revoked.py"
_EVIDENCE = "tests/integration/client/test_evidence.py"
_ARCHIVE = "tests/integration/archive"
MUTATIONS = (
    Mutation(
        "another's call taken for certain",
        "domain/usage.py",
        "certain = how == Likeness.SAME and len(fitting) == 1",
        "certain = True",
        "tests/unit/domain/test_usage.py::test_a_call_that_fits_two_requests",
    ),
    Mutation(
        "a repeated event counted again",
        "domain/usage.py",
        "new = [at for at in times if self.last_seen_at is None or at > self.last_seen_at]",
        "new = times",
        "tests/unit/domain/test_usage.py::test_what_comes_again_is_not_counted_again",
    ),
    Mutation(
        "usage written as often as it is seen",
        "domain/usage.py",
        "if not sightings or (lately and certain == self.certain):",
        "if not sightings:",
        "tests/unit/domain/test_usage.py::test_written_once_a_minute",
    ),
    Mutation(
        "tables emptied before the archive has it",
        "reconcile/archive.py",
        "        stored = self._store(ArchiveObject(object_key_of(record), kept.body), kept)\n",
        "        stored = ArchiveObject(object_key_of(record), kept.body)\n",
        f"{_ARCHIVE}/test_moving.py::test_a_closed_request_is_moved",
    ),
    Mutation(
        "another object under its key taken for it",
        "reconcile/archive.py",
        "if body is None or Archived.model_validate_json(body).events != kept.events:",
        "if body is None:",
        f"{_ARCHIVE}/test_crashes.py::test_another_object_under_its_key_is_told",
    ),
    Mutation(
        "archived before its review",
        "reconcile/archive.py",
        "return record.broken_glass is None or",
        "return True or",
        f"{_ARCHIVE}/test_moving.py::test_what_is_owed_a_review_stays",
    ),
    Mutation(
        "the archive written over",
        "aws/archive.py",
        '                IfNoneMatch="*",\n',
        "",
        "tests/unit/aws/test_archive.py::test_put",
    ),
    Mutation(
        "an archived request's key makes another",
        "requests/submit.py",
        "    if isinstance(stored, Tombstone):\n",
        "    if False:\n",
        f"{_ARCHIVE}/test_requests.py::test_its_idempotency_key_makes_no_other",
    ),
    Mutation(
        "an object that nobody knows unnoticed",
        "events/export.py",
        "    shelf.list_all()\n",
        "",
        f"{_ARCHIVE}/test_audit.py::test_a_breach_of_the_archive_is_found",
    ),
    Mutation(
        "self-approval allowed",
        "domain/decisions.py",
        "    if found == Party.YES:\n",
        "    if False:\n",
        f"{_DECISIONS}::test_one_s_own_request",
    ),
    Mutation(
        "max_continuous off",
        "domain/continuity.py",
        "covered=held <= longest",
        "covered=True",
        "tests/integration/requests/test_continuity.py::test_people_must_vote_beyond_it",
    ),
    Mutation(
        "an extension may end before what it extends",
        "domain/request.py",
        "return until is not None and end_of(duration, at) <= until",
        "return False",
        "tests/integration/requests/test_extension.py::test_the_least_that_outlasts",
    ),
    Mutation(
        "an extension of anything",
        "requests/extend.py",
        "    if old.status != Status.ACTIVE:\n",
        "    if False:\n",
        "tests/integration/requests/test_extension.py::test_only_an_active_one",
    ),
    Mutation(
        "clocks that change within a grant's life are not looked at",
        "domain/windows.py",
        "        if _offset(zone, ahead) != offset:\n",
        "        if False:\n",
        "tests/unit/domain/test_windows.py::test_holds",
    ),
    Mutation(
        "a window that a grant begins in is enough",
        "domain/approvals.py",
        "within_one(self.windows, since, until)",
        "within_one(self.windows, since, since + timedelta(seconds=1))",
        "tests/integration/requests/test_windows.py::test_what_fits_is_granted",
    ),
    Mutation(
        "a window may pass before the intent is stored",
        "requests/take_up.py",
        "    if approval and not approval.fits(stamp.at, end_of(request.duration, stamp.at)):\n",
        "    if False:\n",
        "tests/integration/requests/test_windows.py::test_a_window_that_passes_meanwhile",
    ),
    Mutation(
        "votes count by whoever is no approver of the key",
        "domain/votes.py",
        "is_listed(vote.role_id, self.role_ids) and ",
        "",
        f"{_APPROVERS}::test_votes_given_before",
    ),
    Mutation(
        "the whole team decides on every key",
        "domain/decisions.py",
        "    if not is_listed(voter.role_id, ballot.approvers):\n",
        "    if False:\n",
        f"{_APPROVERS}::test_who_decides_on_a_request",
    ),
    Mutation(
        "the whole team writes every key's document",
        "keys/limits.py",
        "    if key and not may_write(broker, writer.caller, key):\n",
        "    if False:\n",
        f"{_APPROVERS}::test_the_keys_document",
    ),
    Mutation(
        "whole accounts ask",
        "domain/keys.py",
        "self.open_to(account) and lets_ask(self.document.requesters, caller_arn)",
        "self.open_to(account)",
        "tests/integration/requests/test_requesters.py::test_who_may_ask",
    ),
    Mutation(
        "break-glass is not counted",
        "domain/break_glass.py",
        "        if len(self.request_ids) >= per_day:\n",
        "        if False:\n",
        "tests/integration/requests/test_break_glass.py::test_counted_per_key_and_day",
    ),
    Mutation(
        "break-glass for any grantee",
        "requests/break_glass.py",
        "    if not rules.names(request.grantee):\n",
        "    if False:\n",
        "tests/integration/requests/test_break_glass.py::test_who_may",
    ),
    Mutation(
        "reconcile counts no break-glass",
        "domain/glass_evidence.py",
        "    if len(set(others) - {grant.grant_id}) >= most:\n",
        "    if False:\n",
        "tests/integration/reconcile/test_break_glass.py::test_more_than_a_day_s",
    ),
    Mutation(
        "reconcile forgets what it saw of break-glass",
        "reconcile/plan.py",
        "        plan.changes += evidence.note_glass()\n",
        "",
        "tests/integration/reconcile/test_break_glass.py::test_one_after_the_other",
    ),
    Mutation(
        "one's own break-glass is signed off",
        "approvals/reviews.py",
        "    own = asked or holds or took_it\n",
        "    own = False\n",
        "tests/integration/approvals/test_reviews.py::test_nobody_signs_off_their_own",
    ),
    Mutation(
        "one's own key, approval or account is signed off",
        "approvals/recertify.py",
        "        own = self.made_by == voter.person\n",
        "        own = False\n",
        f"{_LOOKS}::test_nobody_signs_off_their_own",
    ),
    Mutation(
        "the whole team signs every key off",
        "approvals/recertify.py",
        "        if not is_listed(voter.role_id, self.approvers):\n",
        "        if False:\n",
        f"{_LOOKS}::test_approvers_of_the_key",
    ),
    Mutation(
        "what nobody has looked at covers",
        "domain/approvals.py",
        '(not self.is_unreviewed(asked.at), "nobody has',
        '(True, "nobody has',
        f"{_LOOKS}::test_past_its_grace_it_covers_nothing_more",
    ),
    Mutation(
        "keys and accounts that nobody has looked at are covered",
        "requests/coverage.py",
        "if unseen := _find_unreviewed(key, account, request.begins):",
        "if unseen := None:",
        f"{_LOOKS}::test_past_its_grace_it_covers_nothing_more",
    ),
    Mutation(
        "what nobody has looked at is taken up",
        "requests/coverage.py",
        "if unseen := _find_unreviewed(key, broker.store.find_account(request.account), at):",
        "if unseen := None:",
        f"{_LOOKS}::test_taken_up_too_late",
    ),
    Mutation(
        "reconcile asks for no looks",
        "reconcile/approvals_in_force.py",
        '(named := self._named.get(record.approval or "")) and not is_unreviewed:',
        '(named := self._named.get(record.approval or "")):',
        f"{_LOOKS}::test_reconcile_ends_what_was_not_covered",
    ),
    Mutation(
        "a change is a look",
        "domain/keys.py",
        "rhythm.changed(self, stamp.at, last=looked)",
        "rhythm.changed(self, stamp.at, last=stamp.at)",
        f"{_LOOKS}::test_a_change_is_no_look",
    ),
    Mutation(
        "a look asked for later ends what lives",
        "domain/recertification.py",
        "        if due is None or late is None:\n",
        "        if True:\n",
        f"{_LOOKS}::test_asked_for_later_it_ends_nothing_that_lives",
    ),
    Mutation(
        "a change puts a look off that is too late",
        "domain/recertification.py",
        "due = max(due, min(before.review_due or at, at))",
        "due = max(due, at)",
        f"{_LOOKS}::test_asked_for_later_it_ends_nothing_that_lives",
    ),
    Mutation(
        "a grant that was made when a grace had just ended was covered by nothing",
        "domain/live_grants.py",
        "(approval.valid_until, approval.unreviewed_after)",
        "(approval.valid_until,)",
        "tests/integration/reconcile/test_windows.py::test_a_standing_approval_s_window",
    ),
    Mutation(
        "a sign-off lasts for ever",
        "approvals/recertify.py",
        "    looks = owing.rhythm.after(stamp.at)\n",
        "    looks = owing.rhythm.after(stamp.at.replace(year=9000))\n",
        f"{_LOOKS}::test_each_kind",
    ),
    Mutation(
        "looks are counted in each run",
        "reconcile/reviews.py",
        "place.finished_at <= judging.now - _EVERY",
        "place.finished_at <= judging.now",
        f"{_LOOKS}::test_counted_once_an_hour_and_told_once",
    ),
    Mutation(
        "reviews that are due are told every hour",
        "domain/passes.py",
        "        if not owing or seal == self.owing:\n",
        "        if not owing:\n",
        f"{_LOOKS}::test_counted_once_an_hour_and_told_once",
    ),
    Mutation(
        "a trail without any event is not missed",
        "events/export.py",
        "        places += [(tables.approval_table, kind) for kind in _LISTED_KINDS]\n",
        "        pass\n",
        f"{_EVIDENCE}::test_a_trail_of_which_nothing_is_left",
    ),
    Mutation(
        "a record that counts no event needs none",
        "events/export.py",
        "    if not trail.events:\n",
        "    if False:\n",
        f"{_EVIDENCE}::test_a_trail_of_which_nothing_is_left",
    ),
    Mutation(
        "evidence of a broken trail passes for whole",
        "client/evidence/files.py",
        "return not self.verified.broken and self.verified.export is None",
        "return self.verified.export is None",
        f"{_EVIDENCE}::test_a_broken_trail",
    ),
    Mutation(
        "a grant that nobody asked for is in no evidence",
        "client/evidence/rows.py",
        'if event.type in {"active", "adopted"}',
        'if event.type == "active"',
        f"{_EVIDENCE}::test_a_grant_that_nobody_asked_for",
    ),
    Mutation(
        "a grant that outlives the period is in no evidence",
        "client/evidence/rows.py",
        "if made and period.meets(made.at, over.at if over else None):",
        "if made and over and period.meets(made.at, over.at):",
        f"{_EVIDENCE}::test_the_population_is_whole",
    ),
    Mutation(
        "a cell of the evidence is a formula",
        "client/evidence/files.py",
        "if text.startswith(_FORMULA) else text",
        "if False else text",
        f"{_EVIDENCE}::test_no_cell_is_a_formula",
    ),
    Mutation(
        "end rate unlimited",
        "expiry/rate.py",
        "    return max(0, min(wanted, left - (taken - wanted)))\n",
        "    return wanted\n",
        "tests/integration/expiry/test_run.py::test_overlapping_runs_share_the_rate",
    ),
    Mutation(
        "votes of requester and grantee counted",
        "domain/votes.py",
        "            and party(vote.voter, requester=requester, grantee=grantee) == Party.NO\n",
        "",
        f"{_QUORUM}::test_the_requester_s_own_vote_ahead_does_not_count",
    ),
    Mutation(
        "one person votes repeatedly on a key",
        "keys/limits.py",
        "    if stored.counts_for(key, stamp.at) and person in stored.voters:\n",
        "    if False:\n",
        "tests/integration/approvals/test_keys.py::test_a_change_needs_the_present_quorum",
    ),
    Mutation(
        "one person votes repeatedly on a request",
        "domain/decisions.py",
        "    if earlier := ballot.votes.vote_of(voter.person):\n",
        "    if earlier := None:\n",
        f"{_QUORUM}::test_one_person_counts_once",
    ),
    Mutation(
        "required_context off",
        "domain/keys.py",
        "        if not contains(scope.encryption_context, required := self.required_context(account)):\n",
        "        if (required := {}):\n",
        "tests/unit/domain/test_keys.py::test_faults",
    ),
    Mutation(
        "no look at the record before a repeated CreateGrant",
        "requests/take_up.py",
        "            _ensure_unmoved(broker, request)\n",
        "",
        f"{_ISSUES}::test_settled_between_two_attempts",
    ),
    Mutation(
        "the longest vote wins",
        "domain/approvals.py",
        "        return min([self.max_duration, *(vote.duration for vote in self.votes if vote.duration)])\n",
        "        return max([vote.duration or self.max_duration for vote in self.votes])\n",
        f"{_QUORUM}::test_the_shortest_duration_wins",
    ),
    Mutation(
        "ends last in each second",
        "expiry/run.py",
        "        ends.begin()\n        rest.go_on()\n",
        "        rest.go_on()\n        ends.begin()\n",
        "tests/integration/expiry/test_run.py::test_ends_come_first_in_their_second",
    ),
    Mutation(
        "a run takes nothing where the items say that all is taken",
        "expiry/rate.py",
        "has_own = second.place is not None or not second.known",
        "has_own = False",
        f"{_RATE}::test_forged_leases_leave_the_fair_share",
    ),
    Mutation(
        "a lease counts in the second in which it was written",
        "expiry/rate.py",
        "since = second + 1 if lapsed",
        "since = second if lapsed",
        f"{_RATE}::test_overlapping_runs_keep_the_rate_together",
    ),
    Mutation(
        "a crashed run keeps its share for minutes",
        "expiry/rate.py",
        "until=second + _LASTS",
        "until=second + 2 * _LASTS",
        f"{_RATE}::test_a_crashed_holder_costs_a_quarter_for_seconds",
    ),
    Mutation(
        "ends wait for the rest",
        "expiry/run.py",
        "        rest.go_on()\n",
        "        rest.go_on()\n        rest.finish()\n",
        "tests/integration/expiry/test_parts.py::test_slow_confirms_hold_up_no_end",
    ),
    Mutation(
        "one way, however much is due",
        "expiry/backlog.py",
        "            self._behind = True\n",
        "            self._behind = False\n",
        "tests/integration/expiry/test_backlog.py::test_both_ways_clear_a_backlog_twice_as_fast",
    ),
    Mutation(
        "a run goes home although a grant may come and end",
        "expiry/run.py",
        "ends.busy or broker.settings.smallest_duration <= COVERS.total_seconds() or not is_quiet()",
        "ends.busy or not is_quiet()",
        "tests/integration/expiry/test_run.py::test_it_stays_while_a_grant_may_come_and_end",
    ),
    Mutation(
        "a request is used as often as its record says",
        "requests/take_up.py",
        "others=[unused, *unblocked]",
        "others=[*unblocked]",
        "tests/integration/requests/test_uses.py::test_used_while_it_is_taken_up",
    ),
    Mutation(
        "a block is read and not checked",
        "requests/take_up.py",
        "others=[unused, *unblocked]",
        "others=[unused]",
        "tests/integration/requests/test_blocks.py::test_blocked_while_it_is_taken_up",
    ),
    Mutation(
        "votes survive a mass revocation",
        "approvals/sweep.py",
        "return [change, *([votes.void(stamp.at)] if votes else [])]",
        "return [change]",
        "tests/integration/approvals/test_mass_revocations.py::test_the_votes_go_with_it",
    ),
    Mutation(
        "a record that was put back revives what was revoked",
        "reconcile/approvals_in_force.py",
        '("its request was revoked" if self._is_revoked(grant) else None)',
        "None",
        f"{_REVOKED}::test_a_record_put_back",
    ),
    Mutation(
        "who writes a record all the time keeps what is revoked",
        "approvals/revoke.py",
        "        retry_stale(lambda: broker.store.commit(withdraw_votes(broker, request, broker.clock())))\n",
        "",
        f"{_REVOKED}::test_a_record_that_is_written_all_the_time",
    ),
    Mutation(
        "a revocation without meddling is drift",
        "reconcile/approvals_in_force.py",
        "            return record.status == Status.ENDING\n",
        "            return False\n",
        f"{_REVOKED}::test_in_order",
    ),
    Mutation(
        "a mass revocation is over after its first sweep",
        "domain/mass_revocations.py",
        "changes = MassRevocationChanges(**start, stage=SweepStage.SECOND_SWEEP)",
        "changes = MassRevocationChanges(**start, stage=SweepStage.DONE)",
        "tests/integration/approvals/test_mass_revocations.py::test_submitted_in_the_same_moment",
    ),
    Mutation(
        "lifting one block lifts them all",
        "domain/blocks.py",
        "if each.revocation == revocation and at < each.ends_at",
        "if at < each.ends_at",
        "tests/integration/approvals/test_mass_revocations.py::test_two_revocations_on_one_block",
    ),
    Mutation(
        "what a revocation was to end lives on by its record's word",
        "domain/blocked_grants.py",
        "now - standing.since > PROPAGATION",
        "False",
        "tests/integration/reconcile/test_blocks.py::test_there_already_when_it_was_revoked",
    ),
    Mutation(
        "a grant made past a block lives",
        "domain/blocked_grants.py",
        "if standing.since + SKEW < grant.created_at < standing.ends_at - SKEW:",
        "if False:",
        "tests/integration/reconcile/test_blocks.py::test_lifted_since",
    ),
    Mutation(
        "an end on one key is taken for the end of a grant on another",
        "domain/uses.py",
        "self.key_arn in {None, grant.key_arn} and grant.grant_id in self.grant_ids",
        "grant.grant_id in self.grant_ids",
        "tests/integration/expiry/test_uses.py::test_a_forged_key_ends_nothing",
    ),
    Mutation(
        "who writes a record meanwhile hides that its grant has ended",
        "expiry/steps.py",
        "        broker.store.database.transact(marks)\n",
        "",
        "tests/integration/expiry/test_uses.py::test_whoever_writes_the_record_meanwhile",
    ),
    Mutation(
        "a used request's grant lives",
        "reconcile/approvals_in_force.py",
        'if use := self.uses.get(grant.request_id or ""):',
        "if use := None:",
        "tests/integration/reconcile/test_uses.py::test_granted_anew_and_forged_to_active",
    ),
    Mutation(
        "a grant is judged by the present limits",
        "reconcile/approvals_in_force.py",
        "        return known or [",
        "        return [",
        "tests/integration/reconcile/test_limits_in_force.py::test_what_was_narrowed_later_ends_nothing",
    ),
    Mutation(
        "votes cover for ever",
        "domain/live_grants.py",
        'update={"valid_from": begins, "valid_until": until}',
        'update={"valid_from": begins}',
        "tests/integration/reconcile/test_windows.py::test_votes_of_an_earlier_release",
    ),
    Mutation(
        "a record that calls itself adopted is compared with nothing",
        "domain/live_grants.py",
        "if self.record and not self.adopted else",
        "if self.record and not self.record.kms_name else",
        "tests/integration/reconcile/test_windows.py::test_a_forged_name_of_kms_hides_no_other_content",
    ),
    Mutation(
        "the intent rests on what was read, not on what is",
        "requests/take_up.py",
        "    broker.store.commit(*changes, checks=checks, others=[unused",
        "    broker.store.commit(*changes, checks=[], others=[unused",
        "tests/integration/requests/test_take_up.py::test_what_changes_between_check_and_intent",
    ),
    Mutation(
        "CreateGrant as long after its intent as it takes",
        "requests/take_up.py",
        "now >= min(request.intent_at + ISSUE_WITHIN, until)",
        "now >= until",
        f"{_ISSUES}::test_no_attempt_after_20_s",
    ),
    Mutation(
        "RevokeGrant whoever made the grant",
        "expiry/steps.py",
        "    if not _is_ours(broker, request, grant):\n",
        "    if False:\n",
        "tests/integration/expiry/test_ending.py",
    ),
    Mutation(
        "a grant that KMS cannot find is taken for gone",
        "expiry/steps.py",
        "        _ensure_gone(broker, request, grant_id)\n    except KmsRefused",
        "        pass\n    except KmsRefused",
        "tests/integration/expiry/test_ending.py",
    ),
    Mutation(
        "what no approval covers lives on",
        "reconcile/plan.py",
        "fault = evidence.fault(grant, record) if grant.request_id else None",
        "fault = None",
        "tests/integration/reconcile/test_grants.py",
    ),
    Mutation(
        "a record that was written ahead is believed",
        "reconcile/plan.py",
        "        if apart and is_about(apart, grant):\n",
        "        if apart:\n",
        "tests/integration/reconcile/test_grants.py::test_a_record_written_ahead",
    ),
    Mutation(
        "what is written for a far day keeps a grant alive",
        "domain/reconciliation.py",
        "record.due is not None and record.due <= (now + _LONGEST_BACKOFF).timestamp()",
        "record.action is not None",
        "tests/integration/reconcile/test_grants.py::test_final_and_put_off",
    ),
    Mutation(
        "an item is read whosever content it holds",
        "aws/items.py",
        '    if item.get("pk", partition) != partition:\n',
        "    if False:\n",
        "tests/integration/expiry/test_unfit_records.py::test_what_cannot_be_done_is_put_off",
    ),
    Mutation(
        "votes for another content count",
        "domain/votes.py",
        "            and vote.digest == digest\n",
        "",
        "tests/unit/domain/test_approvals.py::test_not_covered",
    ),
    Mutation(
        "votes after answer_by count",
        "approvals/votes.py",
        "    if request.answer_by and stamp.at >= request.answer_by:\n",
        "    if False:\n",
        "tests/integration/requests/test_submission.py::test_nobody_answers",
    ),
    Mutation(
        "a grant is the broker's whoever issued it",
        "domain/ownership.py",
        '        if find_account(grant.issuing_account or "") != self.home_account:\n',
        "        if False:\n",
        f"{_OWNERSHIP}::test_not_ours",
    ),
    Mutation(
        "a grant of another name is not the broker's",
        "domain/ownership.py",
        "return retiring == self.retiring_principal or (",
        "return grant.named_as_ours and (",
        f"{_OWNERSHIP}::test_ours_by_whatever_name",
    ),
    Mutation(
        "a stray is drift in one run alone",
        "reconcile/plan.py",
        "                plan.lasting += _is_lasting(record, grant)\n",
        "",
        f"{_OWNERSHIP}::test_ours_by_whatever_name",
    ),
    Mutation(
        "the operator's list allows every operation",
        "domain/ownership.py",
        "return named and set(grant.operations) <= set(self.operations)",
        "return named",
        f"{_OWNERSHIP}::test_allowed_by_the_operator",
    ),
    Mutation(
        "a stray's namesakes end with it",
        "domain/request.py",
        "return parsed is not None and parsed[0] == self.id",
        "return True",
        "tests/integration/expiry/test_neighbours.py::test_only_the_stray_ends",
    ),
    Mutation(
        "what a deleted role was to retire is not revoked",
        "expiry/steps.py",
        "(grant.named_as_ours and is_unique_id(retiring))",
        "False",
        "tests/integration/expiry/test_recreated_role.py::test_nothing_is_closed_while_it_lives",
    ),
    Mutation(
        "a young grantee shown by its id is a deleted one",
        "reconcile/plan.py",
        "is_young = self.now - grant.created_at < TWO_LOOKS",
        "is_young = False",
        "tests/integration/reconcile/test_young_grantees.py",
    ),
    Mutation(
        "reconcile begins at the first page in each run",
        "reconcile/walk.py",
        "self._marker = self.place.marker\n        self.count = self.place.count\n",
        "self._marker = None\n        self.count = self.nothing\n",
        "tests/integration/reconcile/test_place.py::test_goes_on_where_it_stopped",
    ),
    Mutation(
        "what cannot be ended on time is granted",
        "requests/ends.py",
        "    if ahead.fits(end) or ",
        "    if True or ",
        "tests/integration/requests/test_ends.py::test_a_covered_submission",
    ),
    Mutation(
        "forged ends are believed for ever",
        "reconcile/ends.py",
        "    if not is_believed(unbacked, rate):\n        _LOG",
        "    if False:\n        _LOG",
        "tests/integration/reconcile/test_ends.py::test_forged_entries_are_not",
    ),
    Mutation(
        "one grant stands behind any number of ends",
        "reconcile/ends.py",
        "len({end.grant_id for end in ends if end.grant_id in seen})",
        "len([end.grant_id for end in ends if end.grant_id in seen])",
        "tests/integration/reconcile/test_ends.py::test_forged_entries_are_not",
    ),
    Mutation(
        "what half a listing does not show is gone",
        "reconcile/judging.py",
        "return find_region(key_arn) in self.listed_regions or key_arn in self.listed_keys",
        "return True",
        "tests/integration/reconcile/test_place.py::test_no_record_is_missed_by_half_a_listing",
    ),
    Mutation(
        "all Regions share the workers and the rate of one",
        "expiry/lane.py",
        "return region if region in broker.settings.regions else _UNLISTED",
        "return broker.settings.aws_region",
        "tests/integration/expiry/test_regions.py::test_an_outage_holds_up_no_other_region",
    ),
    Mutation(
        "one Region's backlog hides what the others have due",
        "expiry/ends.py",
        "elif not plenty.issuperset(self._broker.settings.regions):",
        "elif False:",
        "tests/integration/expiry/test_regions.py::test_a_backlog_hides_no_other_region",
    ),
    Mutation(
        "a key of whatever Region is registered",
        "keys/register.py",
        "if arns.region_of(key_arn) in regions:",
        "if True:",
        "tests/integration/api/test_regions.py::test_a_region_that_is_not_the_stacks",
    ),
    Mutation(
        "the home Region's grants alone are compared",
        "reconcile/grants.py",
        "return list(dict.fromkeys([*settings.regions, *filter(None, registered)]))",
        "return [settings.aws_region]",
        "tests/integration/api/test_regions.py::test_a_forged_grant_is_found",
    ),
    Mutation(
        "one Region that is down stops the comparison of all",
        "reconcile/grants.py",
        "            errors.append(error)\n",
        "            raise\n",
        "tests/integration/api/test_regions.py::test_one_region_is_compared_while_another_is_down",
    ),
    Mutation(
        "one grant that makes no sense stops the run",
        "reconcile/judging.py",
        "UNFIT = (ValueError, TypeError, LookupError, ArithmeticError, Conflict)",
        "UNFIT = (Conflict,)",
        "tests/integration/reconcile/test_unfit.py::test_one_of_many",
    ),
    Mutation(
        "one account's events on another's bus",
        "events/partners.py",
        "if account_of(bus_arn) != account:",
        "if False:",
        "tests/unit/events/test_partners.py::test_no_record_sends_events_elsewhere",
    ),
    Mutation(
        "a bus that failed is called for each batch",
        "events/partners.py",
        "                self._resting_until[account] = self.now() + _REST\n",
        "",
        "tests/unit/events/test_partners.py::test_a_bus_that_shuts_us_out",
    ),
    Mutation(
        "reminders in a grant's last minute",
        "domain/reminders.py",
        "deadline - _TOO_LATE",
        "deadline",
        "tests/integration/reconcile/test_reminders.py::test_too_late_to_be_told",
    ),
    Mutation(
        "what is like a yes is one",
        "domain/tickets.py",
        'not isinstance(found.get("stands"), bool)',
        'not found.get("stands")',
        "tests/unit/domain/test_tickets.py::test_no_answers",
    ),
    Mutation(
        "a ticket that cannot be checked stands",
        "requests/tickets.py",
        'if broker.settings.ticket_hook_failure == "open":',
        "if True:",
        "tests/integration/requests/test_tickets.py::test_closed_where_there_is_no_answer",
    ),
    Mutation(
        "a ticket is asked about once",
        "requests/take_up.py",
        "    ensure_ticket_stands_still(broker, covered.key, request)\n",
        "",
        "tests/integration/requests/test_tickets.py::test_a_ticket_that_was_closed_since",
    ),
    Mutation(
        "any function may be asked",
        "keys/limits.py",
        "if document.ticket_hook not in {None, *broker.settings.ticket_hooks}:",
        "if False:",
        "tests/integration/requests/test_tickets.py::test_only_functions_of_the_stack_s_list",
    ),
)


@dataclass(frozen=True)
class Outcome:
    """Whether the test failed, after how many seconds, and what pytest said."""

    caught: bool
    seconds: float
    said: str


def run(mutation: Mutation, folder: Path, test: str | None = None) -> Outcome:
    """Apply a change in the copy, run its test, or another, and take it back."""
    path = folder / _PACKAGE / mutation.file
    before, began = path.read_text(encoding="utf-8"), time.perf_counter()
    path.write_text(mutation.applied(folder), encoding="utf-8")
    try:
        done = _pytest(folder, test or mutation.test)
    finally:
        path.write_text(before, encoding="utf-8")
    return Outcome(done.returncode == _FAILED, time.perf_counter() - began, done.stdout)


def _pytest(folder: Path, *tests: str) -> subprocess.CompletedProcess[str]:
    given = ["-q", "-x", "--no-cov", "-n", "0", "-p", "no:cacheprovider", "--tb=line", *tests]
    places = os.pathsep.join([str(folder / _PACKAGE.parent), str(folder)])
    return subprocess.run(  # noqa: S603 - this interpreter, on a node of the table
        [sys.executable, "-m", "pytest", *given],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": places, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def main(names: Sequence[str]) -> int:
    """Run the changes of these names, all by default; `--machine` runs the fault machine on each instead."""
    test = MACHINE if "--machine" in names else None
    wanted = [name for name in names if name != "--machine"]
    chosen = [mutation for mutation in MUTATIONS if not wanted or mutation.name in wanted]
    if not chosen:
        print("no change has such a name", *(mutation.name for mutation in MUTATIONS), sep="\n")
        return 1
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        for name in _COPIED:
            source = ROOT / name
            copy = shutil.copytree if source.is_dir() else shutil.copy2
            copy(source, folder / name)
        if test is None and (sound := _pytest(folder, *{mutation.test for mutation in chosen})).returncode:
            print(
                sound.stdout[-2000:],
                "without any change a test of the table fails: nothing is known",
                sep="\n",
            )
            return 1
        missed = 0
        for mutation in chosen:
            outcome = run(mutation, folder, test)
            missed += not outcome.caught
            verdict = "caught" if outcome.caught else "MISSED"
            print(
                f"{verdict} in {outcome.seconds:4.0f} s: {mutation.name} ({test or mutation.test})",
                flush=True,
            )
            if not outcome.caught:
                print(outcome.said[-2000:])
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
