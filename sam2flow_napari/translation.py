"""The texts of the window in other languages: Qt's own translator, fed from the files that Qt Linguist writes.

A language is a file ``translations/LANGUAGE.ts``. What it does not translate stays English.
"""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from qtpy.QtCore import QCoreApplication, QLibraryInfo, QLocale, QTranslator

from sam2flow_core.errors import Sam2FlowError
from sam2flow_core.messages import Message
from sam2flow_core.project import Vessel
from sam2flow_napari.preferences import SYSTEM, read_preferences

FOLDER = Path(__file__).with_name("translations")
CONTEXT = "SAM2Flow"
_LARGEST_BYTES = 10_000_000
_OF_QT = "SAM2Flow: words of Qt"


def tr(text: str) -> str:
    """Return a text in the language of the window."""
    return QCoreApplication.translate(CONTEXT, text)


def tr_later(text: str) -> str:
    """Mark a text that is translated where it is shown; it stays as it is."""
    return text


def told(said: str | Sam2FlowError) -> str:
    """Return what the core says, an error or a sentence, in the language of the window."""
    text = said.message if isinstance(said, Sam2FlowError) else said
    return text.in_words(tr) if isinstance(text, Message) else tr(text)


def shown_name(vessel: Vessel) -> str:
    """Return what a vessel is called in the language of the window; a name that a person gave it stays."""
    return vessel.called.in_words(tr) if isinstance(vessel.called, Message) else vessel.name


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


def _of_qt(language: str, parent: QCoreApplication) -> QTranslator | None:
    """Return a translator of Qt's own words, such as those of file dialogs, where this Qt has them in a language."""
    translator = QTranslator(parent)
    translator.setObjectName(_OF_QT)
    folder = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
    return translator if translator.load(f"qtbase_{language}", folder) else None


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
    for before in (*application.findChildren(FileTranslator), *application.findChildren(QTranslator, _OF_QT)):
        application.removeTranslator(before)
        before.deleteLater()
    if language in languages():
        application.installTranslator(FileTranslator(language, application))
        if (of_qt := _of_qt(language, application)) is not None:
            application.installTranslator(of_qt)
