"""The vessel list as a table model."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QAbstractTableModel, QModelIndex, Qt
from qtpy.QtGui import QFont
from qtpy.QtWidgets import QCompleter, QLineEdit, QStyledItemDelegate, QTableView

from sam2flow_core.project import SessionState
from sam2flow_core.prompts import BoxPrompt, clicks_of, regions_of
from sam2flow_napari.layers import vessel_colour
from sam2flow_napari.previews import Previews
from sam2flow_napari.session import Session
from sam2flow_napari.translation import shown_name, tr, tr_later
from sam2flow_napari.widgets.building_blocks import swatch

COLUMNS = (tr_later("No."), tr_later("Name"), tr_later("Prompts"), tr_later("Mask"), tr_later("Group"))
_TIPS = (
    tr_later("The number beside the vessel in the image. Tick to draw its mask and flow."),
    tr_later("Double-click or F2 to rename."),
    tr_later("Clicks on this vessel + and beside it −, boxes and painted masks."),
    tr_later("Whether a vessel was found under its clicks."),
    tr_later("What tables and pages sort it by, such as its type: double-click to choose or type."),
)
_STANDINGS, _GROUP = 3, 4
_KINDS = ("artery", "arteriole", "capillary", "venule", "vein")
_EDITED = (1, _GROUP)


class VesselTable(QAbstractTableModel):
    """Colour and visibility, name and clicks of each vessel; edits go to the session."""

    def __init__(self, session: Session, previews: Previews) -> None:
        super().__init__()
        self._session = session
        self._previews = previews
        self._state: SessionState = session.state
        self._dragged = -1
        session.state_changed.connect(self._on_state)
        session.active_changed.connect(self._on_active)
        previews.changed.connect(self._repaint)

    def disconnect_session(self) -> None:
        """Stop listening (the dock closes)."""
        self._session.state_changed.disconnect(self._on_state)
        self._session.active_changed.disconnect(self._on_active)
        self._previews.changed.disconnect(self._repaint)

    def vessel_id(self, row: int) -> int:
        """Return the vessel of a row."""
        return self._state.vessels[row].vessel_id

    def row_of(self, vessel_id: int) -> int:
        """Return the row of a vessel, or -1."""
        return self._state.vessel_ids.index(vessel_id) if vessel_id in self._state.vessel_ids else -1

    # -- Qt's names --------------------------------------------------------
    def rowCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008
        """Return the number of vessels."""
        return 0 if parent.isValid() else len(self._state.vessels)

    def columnCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008
        """Return the number of columns."""
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Any, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return a column's title."""
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return tr(COLUMNS[section])
        return None

    def flags(self, index: QModelIndex) -> Any:
        """Return what can be done with a cell."""
        if not index.isValid():
            return Qt.ItemFlag.ItemIsDropEnabled  # between rows, never onto one
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsDragEnabled
        if index.column() == 0:
            flags |= Qt.ItemFlag.ItemIsUserCheckable
        elif index.column() in _EDITED:
            flags |= Qt.ItemFlag.ItemIsEditable
        return flags

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return a cell."""
        if not index.isValid() or index.row() >= len(self._state.vessels):
            return None
        vessel = self._state.vessels[index.row()]
        column = index.column()
        if role == Qt.ItemDataRole.ToolTipRole:
            said = self._previews.finding(vessel.vessel_id) if column == _STANDINGS else ""
            return said or tr(_TIPS[column])
        if role == Qt.ItemDataRole.FontRole and vessel.vessel_id == self._session.active:
            font = QFont()
            font.setBold(True)
            return font
        if column == 0 and role == Qt.ItemDataRole.CheckStateRole:
            return Qt.CheckState.Checked if vessel.visible else Qt.CheckState.Unchecked
        if column == 0 and role == Qt.ItemDataRole.DecorationRole:
            return swatch(vessel_colour(vessel.vessel_id))
        if column == 0 and role == Qt.ItemDataRole.DisplayRole:
            return str(vessel.vessel_id)
        if column == _STANDINGS and role == Qt.ItemDataRole.DisplayRole:
            return self._previews.standing(vessel.vessel_id)
        if column == 1 and role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            return shown_name(vessel)
        if column == _GROUP and role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            return vessel.group
        if column == 2 and role == Qt.ItemDataRole.DisplayRole:
            return self._prompts_in_words(vessel.vessel_id)
        return None

    def _prompts_in_words(self, vessel_id: int) -> str:
        prompts = self._state.prompts_of(vessel_id)
        labels, regions = [p.label for p in clicks_of(prompts)], regions_of(prompts)
        boxes = sum(isinstance(region, BoxPrompt) for region in regions)
        words = [f"{labels.count(1)} +  {labels.count(0)} −"]
        words += [tr("{boxes} box").format(boxes=boxes)] if boxes else []
        words += [tr("{count} mask").format(count=len(regions) - boxes)] if len(regions) > boxes else []
        return ", ".join(words)

    def setData(self, index: QModelIndex, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Rename, show or hide a vessel."""
        if not index.isValid():
            return False
        vessel_id = self.vessel_id(index.row())
        if index.column() == 0 and role == Qt.ItemDataRole.CheckStateRole:
            # PyQt6 hands over the number, PyQt5 the member.
            self._session.show_vessel(vessel_id, value in (Qt.CheckState.Checked, 2))
            return True
        if index.column() == 1 and role == Qt.ItemDataRole.EditRole:
            if str(value) != shown_name(self._state.vessels[index.row()]):  # what is left as it was is no name given
                self._session.rename_vessel(vessel_id, str(value))
            return True
        if index.column() == _GROUP and role == Qt.ItemDataRole.EditRole:
            self._session.group_vessel(vessel_id, str(value))
            return True
        return False

    @property
    def groups(self) -> tuple[str, ...]:
        """Groups to choose from: those that are in use, then the usual kinds of vessels."""
        return tuple(dict.fromkeys((*sorted({v.group for v in self._state.vessels if v.group}), *_KINDS)))

    def supportedDropActions(self) -> Any:
        """Return that rows are moved."""
        return Qt.DropAction.MoveAction

    def mimeData(self, indexes: Any) -> Any:
        """Remember which row is dragged."""
        self._dragged = next((index.row() for index in indexes), -1)
        return super().mimeData(indexes)

    def dropMimeData(self, data: Any, action: Any, row: int, column: int, parent: QModelIndex) -> bool:
        """Move the dragged row before `row`; after all of them where it is -1."""
        dragged, self._dragged = self._dragged, -1
        if not 0 <= dragged < len(self._state.vessels):
            return False
        place = row if row >= 0 else len(self._state.vessels)
        self._session.move_vessel(self.vessel_id(dragged), place - dragged - (place > dragged))
        return True

    def _on_state(self, state: SessionState) -> None:
        if state.vessel_ids != self._state.vessel_ids:
            self.beginResetModel()
            self._state = state
            self.endResetModel()
        else:
            self._state = state
            self._repaint()

    def _on_active(self, _vessel_id: int) -> None:
        self._repaint()

    def _repaint(self) -> None:
        if self._state.vessels:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self._state.vessels) - 1, len(COLUMNS) - 1))


def make_rows_movable(table: QTableView) -> None:
    """Let rows be dragged to another place of the list."""
    table.setDragDropMode(QTableView.DragDropMode.InternalMove)
    table.setDragDropOverwriteMode(False)
    table.setDropIndicatorShown(True)


class GroupDelegate(QStyledItemDelegate):
    """Edits a group: a line that proposes the groups there are."""

    def createEditor(self, parent: Any, option: Any, index: QModelIndex) -> Any:
        """Return the line."""
        editor = QLineEdit(parent)
        model = index.model()
        assert isinstance(model, VesselTable)
        completer = QCompleter(model.groups, editor)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        editor.setCompleter(completer)
        return editor

    @staticmethod
    def attach(table: QTableView) -> None:
        """Make it the editor of the groups of a table."""
        table.setItemDelegateForColumn(_GROUP, GroupDelegate(table))
