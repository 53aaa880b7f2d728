"""The texts of the window in other languages: Qt's own translator, fed from the files that Qt Linguist writes.

A language is a file ``translations/LANGUAGE.ts``. What it does not translate stays English.
"""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from qtpy.QtCore import QCoreApplication, QLocale, QTranslator

from sam2flow_napari.preferences import SYSTEM, read_preferences

FOLDER = Path(__file__).with_name("translations")
CONTEXT = "SAM2Flow"
_LARGEST_BYTES = 10_000_000


def tr(text: str) -> str:
    """Return a text in the language of the window."""
    return QCoreApplication.translate(CONTEXT, text)


def tr_later(text: str) -> str:
    """Mark a text that is translated where it is shown; it stays as it is."""
    return text


def read_texts(path: Path) -> dict[str, str]:
    """Return the finished translations of a file, by the English text; none of a file that cannot be read."""
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            return {}
        root = ElementTree.parse(path).getroot()
    except (OSError, ElementTree.ParseError):
        return {}
    found = {}
    for message in root.iter("message"):
        source, translation = message.findtext("source"), message.find("translation")
        if source and translation is not None and translation.text and translation.get("type") is None:
            found[source] = translation.text
    return found


class FileTranslator(QTranslator):
    """Looks texts up as they stand in a translation file; Qt's own reads compiled files only.

    Parameters
    ----------
    language : str
        Name of the file, such as ``de``.
    parent : QCoreApplication
    """

    def __init__(self, language: str, parent: QCoreApplication) -> None:
        super().__init__(parent)
        self._language = language
        self._texts = read_texts(FOLDER / f"{language}.ts")

    def language(self) -> str:
        """Return its language."""
        return self._language

    def isEmpty(self) -> bool:
        """Return whether it knows nothing."""
        return not self._texts

    def translate(self, context: str | None, text: str | None, disambiguation: str | None = None, n: int = -1) -> str:
        """Return a text of this plugin in its language; None where another translator is to be asked."""
        return self._texts.get(text or "") if context == CONTEXT else None  # type: ignore[return-value]


def languages() -> tuple[str, ...]:
    """Return the languages that there are files of."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.ts")))


def choose_language() -> None:
    """Let windows that are made from now on speak the language of the preferences."""
    application = QCoreApplication.instance()
    if application is None:
        return
    language = read_preferences().language
    if language == SYSTEM:
        language = QLocale.system().name().split("_")[0]
    for before in application.findChildren(FileTranslator):
        application.removeTranslator(before)
        before.deleteLater()
    if language in languages():
        application.installTranslator(FileTranslator(language, application))
