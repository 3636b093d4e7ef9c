"""Tables that other systems export: CSV files and XLSX workbooks, by column profiles."""

from bridge.connectors.files.folder import FilesSettings, FolderSource, OneFile
from bridge.connectors.files.profile import Profile

__all__ = ["FilesSettings", "FolderSource", "OneFile", "Profile"]
