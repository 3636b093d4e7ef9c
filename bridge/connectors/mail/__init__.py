"""Mail out: by SMTP, or as files in a folder; the words of each letter, plain and HTML."""

from bridge.connectors.mail.compose import LetterHead
from bridge.connectors.mail.folder import FolderMailer
from bridge.connectors.mail.smtp import SmtpMailer, SmtpSettings

__all__ = ["FolderMailer", "LetterHead", "SmtpMailer", "SmtpSettings"]
