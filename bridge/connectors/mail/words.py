"""What each kind of letter says around the things it lists: plain British English, and short."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bridge.domain.mail import MailKind


@dataclass(frozen=True, slots=True)
class Words:
    """A kind's words. The subject names no person and no course: it shows on locked screens.

    `one` and `many` open the letter for one thing or several; `{count}` is how many. `button` is
    the one thing to do; `after` is what else is good to know.
    """

    subject_one: str
    subject_many: str
    one: str
    many: str
    button: str
    after: str = ""

    def subject(self, count: int) -> str:
        """The subject line."""
        return (self.subject_one if count <= 1 else self.subject_many).format(count=count)

    def opening(self, count: int) -> str:
        """The first sentence."""
        return (self.one if count <= 1 else self.many).format(count=count)


WORDS: Mapping[MailKind, Words] = {
    MailKind.DRAFTS: Words(
        "A new draft to reflect on",
        "{count} new drafts to reflect on",
        "There is a new draft in your log, from training that was recorded:",
        "There are {count} new drafts in your log, from training that was recorded:",
        "Reflect on it",
        "It takes about two minutes each. A draft counts for nothing until you say what you "
        "learned and somebody verifies it.",
    ),
    MailKind.REMINDER: Words(
        "While it is fresh: a draft to reflect on",
        "While it is fresh: {count} drafts to reflect on",
        "A draft is still waiting for your reflection:",
        "{count} drafts are still waiting for your reflection:",
        "Reflect on it",
        "It is easiest while you remember it. You will not be reminded of this again. If it does "
        "not apply to you, you can dismiss it.",
    ),
    MailKind.RETURNED: Words(
        "A question about your evidence",
        "Questions about your evidence",
        "Something you submitted came back with a question:",
        "{count} things you submitted came back with a question:",
        "Read it and answer",
        "Nothing is lost: answer in your reflection, and submit it again.",
    ),
    MailKind.WAITING: Words(
        "Evidence waits for you to verify",
        "Evidence of {count} submissions waits for you to verify",
        "Somebody asks you to verify their evidence:",
        "{count} submissions ask you to verify evidence:",
        "Look at it",
        "You can verify each competency, or send it back with a question.",
    ),
    MailKind.OVERDUE: Words(
        "Evidence has waited longer than 28 days",
        "Evidence of {count} submissions has waited longer than 28 days",
        "This has waited for its verifier for more than 28 days:",
        "These have waited for their verifiers for more than 28 days:",
        "See what can be done",
        "You get this as a deputy or as the training team. It can be given to another verifier; "
        "the practitioner loses nothing by the wait.",
    ),
    MailKind.REVIEW: Words(
        "A yearly review",
        "Yearly reviews of {count} competencies",
        "The yearly review of a competency in your log is near or due:",
        "The yearly reviews of {count} competencies in your log are near or due:",
        "Open your log",
        "Recent practice, supervision or training on the same competency renews it, once you have "
        "reflected on it and it is verified.",
    ),
    MailKind.AWARDED: Words(
        "You earned a badge",
        "You earned {count} badges",
        "Well done. Everything that this badge asks for is verified:",
        "Well done. Everything that these badges ask for is verified:",
        "Open your log",
        "It appears on your learning platform's profile as well, usually within a few minutes.",
    ),
    MailKind.WITHDRAWN: Words(
        "A badge was withdrawn",
        "{count} badges were withdrawn",
        "A badge was withdrawn, because a verification that it rested on no longer stands:",
        "{count} badges were withdrawn, because verifications that they rested on no longer stand:",
        "Open your log",
        "Your other evidence stays as it is. Your verifier or training team can tell you more.",
    ),
    MailKind.CONTESTED: Words(
        "Verified evidence is in doubt",
        "Verified evidence of {count} claims is in doubt",
        "The record behind something that was verified has been taken back, or is in doubt:",
        "The records behind {count} things that were verified have been taken back, or are in "
        "doubt:",
        "Look at it",
        "Badges stay as they are meanwhile. Whoever verified it, or the present manager, decides "
        "whether it stands.",
    ),
    MailKind.CORRECTED: Words(
        "A record behind evidence was corrected",
        "Records behind {count} pieces of evidence were corrected",
        "The system that recorded this training has corrected what it says:",
        "The systems that recorded these have corrected what they say:",
        "Look at it",
        "Nothing that anybody wrote or verified is lost. If the correction is a mistake, ask "
        "whoever keeps that system.",
    ),
    MailKind.SIGN_IN: Words(
        "Your sign-in link",
        "Your sign-in link",
        "Here is the link that you asked for. It signs you in once.",
        "Here is the link that you asked for. It signs you in once.",
        "Sign in",
        "If you did not ask for it, you need do nothing: nobody else can use it without this mail.",
    ),
    MailKind.VERIFIER_LINK: Words(
        "You are asked to verify evidence",
        "You are asked to verify evidence",
        "Somebody asks you to verify their evidence. You need no account:",
        "Somebody asks you to verify their evidence. You need no account:",
        "Look at it",
        "The link opens this one thing, once. Please do not pass it on.",
    ),
}
