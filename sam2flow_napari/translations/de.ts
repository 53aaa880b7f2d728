<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="de" sourcelanguage="en">
<context>
    <name>SAM2Flow</name>
    <message>
        <source>drawn line</source>
        <translation>gezeichnete Linie</translation>
    </message>
    <message>
        <source>Drawn line: {words}. Tables and report are in {out}</source>
        <translation>Gezeichnete Linie: {words}. Tabellen und Bericht sind in {out}</translation>
    </message>
    <message>
        <source>{name}: a film in shades of grey is wanted; this one is in colour</source>
        <translation>{name}: Gebraucht wird ein Film in Graustufen; dieser ist farbig</translation>
    </message>
    <message>
        <source>{name}: a film in shades of grey is wanted, with axes (t, y, x); this has {axes}</source>
        <translation>{name}: Gebraucht wird ein Film in Graustufen, mit den Achsen (t, y, x); dieser hat {axes}</translation>
    </message>
    <message>
        <source>{recording}: the recording of this project has moved; put it back, or beside {name}</source>
        <translation>{recording}: Die Aufnahme dieses Projekts ist nicht mehr dort; legen Sie sie zurück, oder neben {name}</translation>
    </message>
    <message>
        <source>proposals</source>
        <translation>Vorschläge</translation>
    </message>
    <message>
        <source>no vessel was found in this recording; click them by hand</source>
        <translation>in dieser Aufnahme wurde kein Gefäß gefunden; klicken Sie sie von Hand an</translation>
    </message>
    <message>
        <source>no recording is open: open one first</source>
        <translation>keine Aufnahme ist offen: öffnen Sie zuerst eine</translation>
    </message>
    <message>
        <source>Cancelled: no vessels were proposed.</source>
        <translation>Abgebrochen: keine Gefäße wurden vorgeschlagen.</translation>
    </message>
    <message>
        <source>every vessel that was found is marked already</source>
        <translation>alle gefundenen Gefäße sind schon markiert</translation>
    </message>
    <message>
        <source>brush</source>
        <translation>Pinsel</translation>
    </message>
    <message>
        <source>Nothing is painted: paint the vessel with the brush, or press Escape to give up.</source>
        <translation>Nichts ist gemalt: malen Sie das Gefäß mit dem Pinsel, oder geben Sie mit Escape auf.</translation>
    </message>
    <message>
        <source>middle line</source>
        <translation>Mittellinie</translation>
    </message>
    <message>
        <source>There is no mask whose middle could be bent: click on the vessel first, and wait for its mask.</source>
        <translation>Es gibt keine Maske, deren Mitte sich biegen ließe: klicken Sie zuerst auf das Gefäß und warten Sie auf die Maske.</translation>
    </message>
    <message>
        <source>That lies outside the image: the vessel stays where it was.</source>
        <translation>Das liegt außerhalb des Bildes: das Gefäß bleibt, wo es war.</translation>
    </message>
    <message>
        <source>vessels</source>
        <translation>Gefäße</translation>
    </message>
    <message>
        <source>speed</source>
        <translation>Tempo</translation>
    </message>
    <message>
        <source>flow arrows</source>
        <translation>Strömungspfeile</translation>
    </message>
    <message>
        <source>centrelines</source>
        <translation>Mittellinien</translation>
    </message>
    <message>
        <source>flow directions</source>
        <translation>Strömungsrichtungen</translation>
    </message>
    <message>
        <source>tracers</source>
        <translation>Teilchen</translation>
    </message>
    <message>
        <source>vessel numbers</source>
        <translation>Gefäßnummern</translation>
    </message>
    <message>
        <source>prompts</source>
        <translation>Markierungen</translation>
    </message>
    <message>
        <source>boxes</source>
        <translation>Kästen</translation>
    </message>
    <message>
        <source>That click is outside the image and was left out: click on a vessel.</source>
        <translation>Dieser Klick liegt außerhalb des Bildes und zählt nicht: klicken Sie auf ein Gefäß.</translation>
    </message>
    <message>
        <source>That box is too small or outside the image: drag a rectangle about the vessel.</source>
        <translation>Dieser Kasten ist zu klein oder außerhalb des Bildes: ziehen Sie ein Rechteck um das Gefäß.</translation>
    </message>
    <message>
        <source>No vessel was found there. Click nearer to the middle of one, or paint it (M).</source>
        <translation>Dort wurde kein Gefäß gefunden. Klicken Sie näher zur Mitte, oder malen Sie es (M).</translation>
    </message>
    <message>
        <source>The mask lies beside a click: no vessel was found under it. Undo it, or paint the vessel (M).</source>
        <translation>Die Maske liegt neben einem Klick: darunter wurde kein Gefäß gefunden. Nehmen Sie ihn zurück, oder malen Sie das Gefäß (M).</translation>
    </message>
    <message>
        <source>The mask still holds a place that you have excluded. Click there again, or paint the vessel (M).</source>
        <translation>Die Maske enthält noch eine Stelle, die Sie ausgeschlossen haben. Klicken Sie dort noch einmal, oder malen Sie das Gefäß (M).</translation>
    </message>
    <message>
        <source>There may be no vessel here. Click again on its middle, or paint it (M).</source>
        <translation>Hier ist vielleicht kein Gefäß. Klicken Sie noch einmal auf die Mitte, oder malen Sie es (M).</translation>
    </message>
    <message>
        <source>These clicks mean one mask only. Click again to mend it.</source>
        <translation>Diese Klicks bedeuten nur eine Maske. Klicken Sie weiter, um sie zu verbessern.</translation>
    </message>
    <message>
        <source>looking…</source>
        <translation>sucht…</translation>
    </message>
    <message>
        <source>none</source>
        <translation>keine</translation>
    </message>
    <message>
        <source>check</source>
        <translation>prüfen</translation>
    </message>
    <message>
        <source>found</source>
        <translation>da</translation>
    </message>
    <message>
        <source>Mask {number} of {masks} that the click may mean. Q: the next; Ctrl+Z: back.</source>
        <translation>Maske {number} von {masks}, die der Klick meinen kann. Q: die nächste; Strg+Z: zurück.</translation>
    </message>
    <message>
        <source>This is {name}, which is marked already. Undo it (Ctrl+Z), or select {name} to mend it.</source>
        <translation>Das ist {name}, schon markiert. Nehmen Sie es zurück (Strg+Z), oder wählen Sie {name}, um es zu verbessern.</translation>
    </message>
    <message>
        <source>Your clicks are kept: use Undo or the vessel list to take them back.</source>
        <translation>Ihre Klicks sind noch da: Zurück oder die Gefäßliste nimmt sie weg.</translation>
    </message>
    <message>
        <source>It was kept as {name}.</source>
        <translation>Sie wurde als {name} aufbewahrt.</translation>
    </message>
    <message>
        <source>Marks of {name} that lie outside this recording were left out. {kept}</source>
        <translation>Markierungen in {name}, die außerhalb dieser Aufnahme liegen, wurden weggelassen. {kept}</translation>
    </message>
    <message>
        <source>It could not be put aside: what you mark now replaces it.</source>
        <translation>Sie ließ sich nicht beiseitelegen: Was Sie jetzt markieren, ersetzt sie.</translation>
    </message>
    <message>
        <source>The recording has changed since its prompts were placed: check them before you run.</source>
        <translation>Die Aufnahme hat sich geändert, seit sie markiert wurde: Prüfen Sie die Markierungen, bevor Sie messen.</translation>
    </message>
    <message>
        <source>{error}. {kept}</source>
        <translation>{error}. {kept}</translation>
    </message>
    <message>
        <source>Batch stopped. What is finished is kept; started again into the same folder, it goes on.</source>
        <translation>Stapel angehalten. Was fertig ist, bleibt; in denselben Ordner neu gestartet, geht er weiter.</translation>
    </message>
    <message>
        <source>Run cancelled. What was finished is kept in the project folder.</source>
        <translation>Messung abgebrochen. Was fertig war, bleibt im Projektordner.</translation>
    </message>
    <message>
        <source>Cancelled: no masks were written.</source>
        <translation>Abgebrochen: keine Masken wurden geschrieben.</translation>
    </message>
    <message>
        <source>no mask in frame {frame}: click on a vessel or paint one there first</source>
        <translation>keine Maske in Bild {frame}: klicken Sie zuerst auf ein Gefäß, oder malen Sie dort eines</translation>
    </message>
    <message>
        <source>labels must lie between 0 and {largest}</source>
        <translation>Nummern müssen zwischen 0 und {largest} liegen</translation>
    </message>
    <message>
        <source>{folder}: is no longer there</source>
        <translation>{folder}: ist nicht mehr da</translation>
    </message>
    <message>
        <source>Show film</source>
        <translation>Film zeigen</translation>
    </message>
    <message>
        <source>Show mean</source>
        <translation>Mittel zeigen</translation>
    </message>
    <message>
        <source>Show stabilised</source>
        <translation>Stabilisiertes Mittel zeigen</translation>
    </message>
    <message>
        <source>Show activity</source>
        <translation>Aktivität zeigen</translation>
    </message>
    <message>
        <source>Looking through the recording for a still picture…</source>
        <translation>Die Aufnahme wird für ein Standbild durchgesehen…</translation>
    </message>
    <message>
        <source>still picture</source>
        <translation>stehendes Bild</translation>
    </message>
    <message>
        <source>a new vessel</source>
        <translation>ein neues Gefäß</translation>
    </message>
    <message>
        <source>the next vessel of the list</source>
        <translation>das nächste Gefäß der Liste</translation>
    </message>
    <message>
        <source>flip the sign of the next click</source>
        <translation>das Vorzeichen des nächsten Klicks wechseln</translation>
    </message>
    <message>
        <source>another mask for the clicks: the vessel that crosses, to the fork, past it</source>
        <translation>eine andere Maske für die Klicks: das kreuzende Gefäß, bis zur Gabel, darüber hinaus</translation>
    </message>
    <message>
        <source>find all vessels: they are proposed, a click on an outline accepts one</source>
        <translation>alle Gefäße suchen: sie werden vorgeschlagen, ein Klick auf einen Umriss nimmt eines an</translation>
    </message>
    <message>
        <source>drag a box about the vessel (again: back to clicks)</source>
        <translation>einen Kasten um das Gefäß ziehen (noch einmal: zurück zu Klicks)</translation>
    </message>
    <message>
        <source>draw a line along a vessel to measure it classically (again: back to clicks)</source>
        <translation>eine Linie entlang eines Gefäßes zeichnen und klassisch messen (noch einmal: zurück zu Klicks)</translation>
    </message>
    <message>
        <source>bend the middle line of the vessel: its mask follows (again: back to clicks)</source>
        <translation>die Mittellinie des Gefäßes biegen: die Maske folgt (noch einmal: zurück zu Klicks)</translation>
    </message>
    <message>
        <source>paint the mask of the vessel (again: use it as prompt)</source>
        <translation>die Maske des Gefäßes malen (noch einmal: sie verwenden)</translation>
    </message>
    <message>
        <source>give up painting, bending or drawing, back to clicks</source>
        <translation>Malen, Biegen oder Zeichnen beenden, zurück zu Klicks</translation>
    </message>
    <message>
        <source>undo (while you paint: the last stroke)</source>
        <translation>zurücknehmen (beim Malen: den letzten Strich)</translation>
    </message>
    <message>
        <source>redo</source>
        <translation>wiederholen</translation>
    </message>
    <message>
        <source>go to the next frame with a prompt</source>
        <translation>zum nächsten markierten Bild</translation>
    </message>
    <message>
        <source>go to the previous frame with a prompt</source>
        <translation>zum vorigen markierten Bild</translation>
    </message>
    <message>
        <source>hide or show all that lies over the recording</source>
        <translation>alles über der Aufnahme verbergen oder zeigen</translation>
    </message>
    <message>
        <source>another picture to click on: the film, its mean, its activity</source>
        <translation>ein anderes Bild zum Anklicken: der Film, sein Mittel, seine Aktivität</translation>
    </message>
    <message>
        <source>show this help</source>
        <translation>diese Hilfe zeigen</translation>
    </message>
    <message>
        <source>Recording</source>
        <translation>Aufnahme</translation>
    </message>
    <message>
        <source>Vessels</source>
        <translation>Gefäße</translation>
    </message>
    <message>
        <source>Group</source>
        <translation>Gruppe</translation>
    </message>
    <message>
        <source>State</source>
        <translation>Stand</translation>
    </message>
    <message>
        <source>Vessel</source>
        <translation>Gefäß</translation>
    </message>
    <message>
        <source>Grade</source>
        <translation>Note</translation>
    </message>
    <message>
        <source>Notes</source>
        <translation>Hinweise</translation>
    </message>
    <message>
        <source>SAM2Flow: batch</source>
        <translation>SAM2Flow: Stapel</translation>
    </message>
    <message>
        <source>Double-click a group to type it: before and after, say.</source>
        <translation>Doppelklick auf eine Gruppe, um sie einzugeben: vorher und nachher etwa.</translation>
    </message>
    <message>
        <source>Velocities of all recordings.</source>
        <translation>Geschwindigkeiten aller Aufnahmen.</translation>
    </message>
    <message>
        <source>Recordings</source>
        <translation>Aufnahmen</translation>
    </message>
    <message>
        <source>Velocities</source>
        <translation>Geschwindigkeiten</translation>
    </message>
    <message>
        <source>Recordings that are not marked get the clicks of the one that is open</source>
        <translation>Aufnahmen ohne Markierung bekommen die Klicks der offenen</translation>
    </message>
    <message>
        <source>For one field of view before and after: the same vessels under the same numbers.</source>
        <translation>Für ein Gesichtsfeld vorher und nachher: dieselben Gefäße unter denselben Nummern.</translation>
    </message>
    <message>
        <source>Add…</source>
        <translation>Hinzufügen…</translation>
    </message>
    <message>
        <source>Add recordings to the list.</source>
        <translation>Aufnahmen in die Liste aufnehmen.</translation>
    </message>
    <message>
        <source>Remove</source>
        <translation>Entfernen</translation>
    </message>
    <message>
        <source>Take the selected recording from the list.</source>
        <translation>Die gewählte Aufnahme aus der Liste nehmen.</translation>
    </message>
    <message>
        <source>Measure all…</source>
        <translation>Alle messen…</translation>
    </message>
    <message>
        <source>Choose a folder and measure all recordings into it.</source>
        <translation>Einen Ordner wählen und alle Aufnahmen dorthin messen.</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <source>Stop after the present frame; what is finished is kept.</source>
        <translation>Nach dem jetzigen Bild anhalten; was fertig ist, bleibt.</translation>
    </message>
    <message>
        <source>Comparison</source>
        <translation>Vergleich</translation>
    </message>
    <message>
        <source>Open the page that compares the recordings.</source>
        <translation>Die Seite öffnen, die die Aufnahmen vergleicht.</translation>
    </message>
    <message>
        <source>Add recordings</source>
        <translation>Aufnahmen hinzufügen</translation>
    </message>
    <message>
        <source>Folder for the results of the batch</source>
        <translation>Ordner für die Ergebnisse des Stapels</translation>
    </message>
    <message>
        <source>Vessels of the same number are compared; the first recording is the baseline.</source>
        <translation>Gefäße gleicher Nummer werden verglichen; die erste Aufnahme ist der Ausgangswert.</translation>
    </message>
    <message>
        <source>waits</source>
        <translation>wartet</translation>
    </message>
    <message>
        <source>none marked</source>
        <translation>keine markiert</translation>
    </message>
    <message>
        <source>something else goes on: wait for its end, or cancel it</source>
        <translation>etwas anderes läuft: warten Sie sein Ende ab, oder brechen Sie es ab</translation>
    </message>
    <message>
        <source>done</source>
        <translation>fertig</translation>
    </message>
    <message>
        <source>reading…</source>
        <translation>liest…</translation>
    </message>
    <message>
        <source>all frames. </source>
        <translation>alle Bilder. </translation>
    </message>
    <message>
        <source>All are measured with the settings of the dock: model {model}, detail {detail}, </source>
        <translation>Alle werden mit den Einstellungen des Fensters gemessen: Modell {model}, Dichte {detail}, </translation>
    </message>
    <message>
        <source>{borrowed}, of the open one</source>
        <translation>{borrowed}, der offenen</translation>
    </message>
    <message>
        <source>frame {frames_done} of {frames_total}</source>
        <translation>Bild {frames_done} von {frames_total}</translation>
    </message>
    <message>
        <source>frames {start} to {stop}. </source>
        <translation>Bilder {start} bis {stop}. </translation>
    </message>
    <message>
        <source>Recordings ({endings});;All files (*)</source>
        <translation>Aufnahmen ({endings});;Alle Dateien (*)</translation>
    </message>
    <message>
        <source>No web browser answered. The page is {page} (copied to the clipboard).</source>
        <translation>Kein Browser hat geantwortet. Die Seite ist {page} (in die Zwischenablage kopiert).</translation>
    </message>
    <message>
        <source>PyQt5 works with this napari; a later one will want PyQt6: pip install 'sam2flow[pyqt6]'</source>
        <translation>PyQt5 geht mit diesem napari; ein späteres wird PyQt6 wollen: pip install 'sam2flow[pyqt6]'</translation>
    </message>
    <message>
        <source>In the dock, and over the image with the layer &lt;i&gt;prompts&lt;/i&gt; (&lt;i&gt;boxes&lt;/i&gt;, &lt;i&gt;brush&lt;/i&gt;) selected:</source>
        <translation>Im Fenster, und über dem Bild, wenn die Ebene &lt;i&gt;Markierungen&lt;/i&gt; (&lt;i&gt;Kästen&lt;/i&gt;, &lt;i&gt;Pinsel&lt;/i&gt;) gewählt ist:</translation>
    </message>
    <message>
        <source>Click</source>
        <translation>Klick</translation>
    </message>
    <message>
        <source>this vessel</source>
        <translation>dieses Gefäß</translation>
    </message>
    <message>
        <source>Shift or Alt + click</source>
        <translation>Umschalt oder Alt + Klick</translation>
    </message>
    <message>
        <source>not this vessel</source>
        <translation>nicht dieses Gefäß</translation>
    </message>
    <message>
        <source>Drag, wheel</source>
        <translation>Ziehen, Rad</translation>
    </message>
    <message>
        <source>move and zoom the image</source>
        <translation>das Bild bewegen und vergrößern</translation>
    </message>
    <message>
        <source>3, then drag or Delete</source>
        <translation>3, dann Ziehen oder Entf</translation>
    </message>
    <message>
        <source>select points to move or delete; 2 to click again</source>
        <translation>Punkte wählen, um sie zu bewegen oder zu löschen; 2, um wieder zu klicken</translation>
    </message>
    <message>
        <source>the pages Mark and Results; Tab goes through the dock</source>
        <translation>die Seiten Markieren und Ergebnisse; Tab geht durch das Fenster</translation>
    </message>
    <message>
        <source>run, cancel; other buttons say their keys when the mouse rests on them</source>
        <translation>messen, abbrechen; andere Knöpfe nennen ihre Tasten, wenn die Maus auf ihnen ruht</translation>
    </message>
    <message>
        <source>SAM2Flow: keys</source>
        <translation>SAM2Flow: Tasten</translation>
    </message>
    <message>
        <source>Mark</source>
        <translation>Markieren</translation>
    </message>
    <message>
        <source>Results</source>
        <translation>Ergebnisse</translation>
    </message>
    <message>
        <source>This recording</source>
        <translation>Diese Aufnahme</translation>
    </message>
    <message>
        <source>What the run has finished is kept.</source>
        <translation>Was fertig gemessen ist, bleibt.</translation>
    </message>
    <message>
        <source>Settings of a run</source>
        <translation>Einstellungen der Messung</translation>
    </message>
    <message>
        <source>Stop and open</source>
        <translation>Anhalten und öffnen</translation>
    </message>
    <message>
        <source>Go on measuring</source>
        <translation>Weiter messen</translation>
    </message>
    <message>
        <source>{here} is being measured. Stop that and open {name}?</source>
        <translation>{here} wird gemessen. Anhalten und {name} öffnen?</translation>
    </message>
    <message>
        <source>SAM2Flow: export</source>
        <translation>SAM2Flow: Export</translation>
    </message>
    <message>
        <source>With masks, speed and numbers</source>
        <translation>Mit Masken, Geschwindigkeit und Nummern</translation>
    </message>
    <message>
        <source>Export…</source>
        <translation>Export…</translation>
    </message>
    <message>
        <source>Choose a folder and write the files there.</source>
        <translation>Einen Ordner wählen und die Dateien dorthin schreiben.</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>Schließen</translation>
    </message>
    <message>
        <source>Stop; files that are whole stay.</source>
        <translation>Anhalten; fertige Dateien bleiben.</translation>
    </message>
    <message>
        <source>Of the film</source>
        <translation>Zum Film</translation>
    </message>
    <message>
        <source>First frame</source>
        <translation>Erstes Bild</translation>
    </message>
    <message>
        <source>Last frame</source>
        <translation>Letztes Bild</translation>
    </message>
    <message>
        <source>Take one frame of</source>
        <translation>Ein Bild von je</translation>
    </message>
    <message>
        <source>Frames shown a second</source>
        <translation>Gezeigte Bilder pro Sekunde</translation>
    </message>
    <message>
        <source>File type</source>
        <translation>Dateiart</translation>
    </message>
    <message>
        <source>Export to a folder</source>
        <translation>In einen Ordner exportieren</translation>
    </message>
    <message>
        <source>Stopping…</source>
        <translation>Hält an…</translation>
    </message>
    <message>
        <source>Cancelled; files that are whole stay, and are no longer ticked.</source>
        <translation>Abgebrochen; fertige Dateien bleiben und sind nicht mehr angekreuzt.</translation>
    </message>
    <message>
        <source>Whether {kind} is written.</source>
        <translation>Ob geschrieben wird: {kind}.</translation>
    </message>
    <message>
        <source>Exported to {step}</source>
        <translation>Exportiert nach {step}</translation>
    </message>
    <message>
        <source>Writing {what}</source>
        <translation>Schreibt {what}</translation>
    </message>
    <message>
        <source>Velocity of each vessel. Of the selected one: band, its 95 % interval; grey, no velocity.</source>
        <translation>Geschwindigkeit jedes Gefäßes. Beim gewählten: Band, sein 95-%-Intervall; grau, keine Geschwindigkeit.</translation>
    </message>
    <message>
        <source>Brightness along the selected vessel in the direction of its arrow: streaks are cells. Orange: how they would run at the velocity that was measured.</source>
        <translation>Helligkeit entlang des gewählten Gefäßes in Richtung seines Pfeils: Streifen sind Zellen. Orange: wie sie bei der gemessenen Geschwindigkeit liefen.</translation>
    </message>
    <message>
        <source>time (s)</source>
        <translation>Zeit (s)</translation>
    </message>
    <message>
        <source>frame</source>
        <translation>Bild</translation>
    </message>
    <message>
        <source>velocity (um/s)</source>
        <translation>Geschwindigkeit (um/s)</translation>
    </message>
    <message>
        <source>velocity (px/frame)</source>
        <translation>Geschwindigkeit (px/Bild)</translation>
    </message>
    <message>
        <source>{tooltip} Click to go to that frame; the line is the frame on screen.</source>
        <translation>{tooltip} Ein Klick führt zu dem Bild; die Linie ist das Bild auf dem Schirm.</translation>
    </message>
    <message>
        <source>speed so far ({unit})</source>
        <translation>Tempo bisher ({unit})</translation>
    </message>
    <message>
        <source>distance ({unit})</source>
        <translation>Weg ({unit})</translation>
    </message>
    <message>
        <source>typed by you</source>
        <translation>von Ihnen</translation>
    </message>
    <message>
        <source>OME file</source>
        <translation>OME-Datei</translation>
    </message>
    <message>
        <source>ImageJ file</source>
        <translation>ImageJ-Datei</translation>
    </message>
    <message>
        <source>TIFF tag</source>
        <translation>TIFF-Angabe</translation>
    </message>
    <message>
        <source>video file</source>
        <translation>Videodatei</translation>
    </message>
    <message>
        <source>not in file</source>
        <translation>nicht in der Datei</translation>
    </message>
    <message>
        <source>Measure several recordings with the same settings, and compare them: before and after, say.</source>
        <translation>Mehrere Aufnahmen mit denselben Einstellungen messen und vergleichen: vorher und nachher etwa.</translation>
    </message>
    <message>
        <source>, doubtful: not used</source>
        <translation>, zweifelhaft: nicht verwendet</translation>
    </message>
    <message>
        <source>, doubtful: check it</source>
        <translation>, zweifelhaft: bitte prüfen</translation>
    </message>
    <message>
        <source>Open a recording</source>
        <translation>Eine Aufnahme öffnen</translation>
    </message>
    <message>
        <source>Open a folder of frames</source>
        <translation>Einen Ordner mit Bildern öffnen</translation>
    </message>
    <message>
        <source>Side of a pixel in um. 0 = unknown.</source>
        <translation>Seite eines Pixels in um. 0 = unbekannt.</translation>
    </message>
    <message>
        <source>Frames per second. 0 = unknown.</source>
        <translation>Bilder pro Sekunde. 0 = unbekannt.</translation>
    </message>
    <message>
        <source>Stabilise</source>
        <translation>Stabilisieren</translation>
    </message>
    <message>
        <source>Take the movement of the tissue out of the flow (recommended).</source>
        <translation>Die Bewegung des Gewebes aus der Strömung nehmen (empfohlen).</translation>
    </message>
    <message>
        <source>unknown</source>
        <translation>unbekannt</translation>
    </message>
    <message>
        <source>Pixel size (um)</source>
        <translation>Pixelgröße (um)</translation>
    </message>
    <message>
        <source>Rate (Hz)</source>
        <translation>Rate (Hz)</translation>
    </message>
    <message>
        <source>Open…</source>
        <translation>Öffnen…</translation>
    </message>
    <message>
        <source>Open a TIFF or a video (AVI, MP4); any size, it is read a frame at a time.</source>
        <translation>Ein TIFF oder Video (AVI, MP4) öffnen; in jeder Größe, Bild für Bild gelesen.</translation>
    </message>
    <message>
        <source>Folder…</source>
        <translation>Ordner…</translation>
    </message>
    <message>
        <source>Open a folder of single frames.</source>
        <translation>Einen Ordner mit einzelnen Bildern öffnen.</translation>
    </message>
    <message>
        <source>Layer</source>
        <translation>Ebene</translation>
    </message>
    <message>
        <source>Take the selected image layer, whatever reader opened it.</source>
        <translation>Die gewählte Bildebene nehmen, welcher Leser sie auch geöffnet hat.</translation>
    </message>
    <message>
        <source>Sample</source>
        <translation>Beispiel</translation>
    </message>
    <message>
        <source>Open the bundled sample recording.</source>
        <translation>Die mitgelieferte Aufnahme öffnen.</translation>
    </message>
    <message>
        <source>Batch…</source>
        <translation>Stapel…</translation>
    </message>
    <message>
        <source>No recording is open.</source>
        <translation>Keine Aufnahme ist offen.</translation>
    </message>
    <message>
        <source>{frames} frames, {width} x {height} px, {bit_depth} bit</source>
        <translation>{frames} Bilder, {width} x {height} px, {bit_depth} Bit</translation>
    </message>
    <message>
        <source>{name} came through another reader: press Layer to measure it.</source>
        <translation>{name} kam durch einen anderen Leser: Ebene misst sie.</translation>
    </message>
    <message>
        <source>{value}. Usual are {usual:g} to {usual_2:g}. Type another value to replace it.</source>
        <translation>{value}. Üblich sind {usual:g} bis {usual_2:g}. Geben Sie einen anderen Wert ein, um ihn zu ersetzen.</translation>
    </message>
    <message>
        <source>Show the plots in a window of their own; closing it brings them back.</source>
        <translation>Die Kurven in einem eigenen Fenster zeigen; wird es geschlossen, sind sie wieder hier.</translation>
    </message>
    <message>
        <source>no frame</source>
        <translation>kein Bild</translation>
    </message>
    <message>
        <source>Flow directions</source>
        <translation>Richtungen</translation>
    </message>
    <message>
        <source>Colour the vessels by the direction of their flow.</source>
        <translation>Die Gefäße nach der Richtung ihrer Strömung färben.</translation>
    </message>
    <message>
        <source>Tracers</source>
        <translation>Teilchen</translation>
    </message>
    <message>
        <source>Dots that drift with the measured flow: press play below the image.</source>
        <translation>Punkte, die mit der gemessenen Strömung treiben: spielen Sie die Aufnahme unter dem Bild ab.</translation>
    </message>
    <message>
        <source>One row per vessel. Select a row to select the vessel; rest on it for all values.</source>
        <translation>Eine Zeile je Gefäß. Eine Zeile wählt das Gefäß; die Maus darauf zeigt alle Werte.</translation>
    </message>
    <message>
        <source>Velocity</source>
        <translation>Geschwindigkeit</translation>
    </message>
    <message>
        <source>Space-time</source>
        <translation>Raum-Zeit</translation>
    </message>
    <message>
        <source>Larger</source>
        <translation>Größer</translation>
    </message>
    <message>
        <source>The first velocities come here in a while.</source>
        <translation>Die ersten Geschwindigkeiten kommen bald hierher.</translation>
    </message>
    <message>
        <source>Velocities come here after a run.</source>
        <translation>Geschwindigkeiten kommen nach einer Messung hierher.</translation>
    </message>
    <message>
        <source>Save the plot</source>
        <translation>Das Diagramm speichern</translation>
    </message>
    <message>
        <source>Pictures (*.png *.svg)</source>
        <translation>Bilder (*.png *.svg)</translation>
    </message>
    <message>
        <source>SAM2Flow: plots</source>
        <translation>SAM2Flow: Diagramme</translation>
    </message>
    <message>
        <source>Take home tables, workbook, report, figures, masks, a film.</source>
        <translation>Tabellen, Arbeitsmappe, Bericht, Abbildungen, Masken, Film mitnehmen.</translation>
    </message>
    <message>
        <source>Figure…</source>
        <translation>Bild…</translation>
    </message>
    <message>
        <source>Save the plot on show as a picture (PNG or SVG).</source>
        <translation>Das gezeigte Diagramm als Bild speichern (PNG oder SVG).</translation>
    </message>
    <message>
        <source>Report</source>
        <translation>Bericht</translation>
    </message>
    <message>
        <source>Open the report in the web browser.</source>
        <translation>Den Bericht im Browser öffnen.</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>Kopie</translation>
    </message>
    <message>
        <source>Copy the table to the clipboard.</source>
        <translation>Die Tabelle in die Zwischenablage kopieren.</translation>
    </message>
    <message>
        <source>Table copied.</source>
        <translation>Tabelle kopiert.</translation>
    </message>
    <message>
        <source>frames {first} to {last}</source>
        <translation>Bildern {first} bis {last}</translation>
    </message>
    <message>
        <source>{path}: figures are saved as .png or .svg; choose one of these endings</source>
        <translation>{path}: Diagramme werden als .png oder .svg gespeichert; wählen Sie eine dieser Endungen</translation>
    </message>
    <message>
        <source>Marked anew since this run: {names}. Run again to measure.</source>
        <translation>Seit dieser Messung neu markiert: {names}. Messen Sie noch einmal.</translation>
    </message>
    <message>
        <source> so far.</source>
        <translation> bisher.</translation>
    </message>
    <message>
        <source>; the run was cut short.</source>
        <translation>; unfertig.</translation>
    </message>
    <message>
        <source>Flow towards this side,
full colour: {most}</source>
        <translation>Strömung zu dieser Seite,
volle Farbe: {most}</translation>
    </message>
    <message>
        <source>Speed, 0 to
{most}</source>
        <translation>Tempo, 0 bis
{most}</translation>
    </message>
    <message>
        <source>a deleted vessel</source>
        <translation>ein gelöschtes Gefäß</translation>
    </message>
    <message>
        <source>Provisional, from {span}</source>
        <translation>Vorläufig, aus {span}</translation>
    </message>
    <message>
        <source>Figure saved as {path}</source>
        <translation>Diagramm gespeichert als {path}</translation>
    </message>
    <message>
        <source>px/frame</source>
        <translation>px/Bild</translation>
    </message>
    <message>
        <source>95 % interval from</source>
        <translation>95-%-Intervall von</translation>
    </message>
    <message>
        <source>to</source>
        <translation>bis</translation>
    </message>
    <message>
        <source>Slowest</source>
        <translation>Langsamste</translation>
    </message>
    <message>
        <source>Fastest</source>
        <translation>Schnellste</translation>
    </message>
    <message>
        <source>By the space-time diagram</source>
        <translation>Nach dem Raum-Zeit-Diagramm</translation>
    </message>
    <message>
        <source>Diameter</source>
        <translation>Durchmesser</translation>
    </message>
    <message>
        <source>Length</source>
        <translation>Länge</translation>
    </message>
    <message>
        <source>Volume flow</source>
        <translation>Volumenstrom</translation>
    </message>
    <message>
        <source>Cells</source>
        <translation>Zellen</translation>
    </message>
    <message>
        <source>per s</source>
        <translation>pro s</translation>
    </message>
    <message>
        <source>Pulse</source>
        <translation>Puls</translation>
    </message>
    <message>
        <source>At rest</source>
        <translation>In Ruhe</translation>
    </message>
    <message>
        <source>Frames with a velocity</source>
        <translation>Bilder mit Geschwindigkeit</translation>
    </message>
    <message>
        <source>No vessel was measured.</source>
        <translation>Kein Gefäß wurde gemessen.</translation>
    </message>
    <message>
        <source>{good} of {count} vessels can be believed as they stand ({parts}).</source>
        <translation>{good} von {count} Gefäßen sind so zu glauben ({parts}).</translation>
    </message>
    <message>
        <source>Number</source>
        <translation>Nummer</translation>
    </message>
    <message>
        <source>Notes: {notes}</source>
        <translation>Hinweise: {notes}</translation>
    </message>
    <message>
        <source>Velocity ({unit})</source>
        <translation>Geschwindigkeit ({unit})</translation>
    </message>
    <message>
        <source>95 % low ({unit})</source>
        <translation>95 % unten ({unit})</translation>
    </message>
    <message>
        <source>95 % high ({unit})</source>
        <translation>95 % oben ({unit})</translation>
    </message>
    <message>
        <source>{named}, frames {first} to {last}</source>
        <translation>{named}, Bilder {first} bis {last}</translation>
    </message>
    <message>
        <source>no grade</source>
        <translation>keine Note</translation>
    </message>
    <message>
        <source>goes on</source>
        <translation>läuft</translation>
    </message>
    <message>
        <source>The runs of this recording, none of which is ever overwritten. Choose one to see it.</source>
        <translation>Die Messungen dieser Aufnahme, von denen keine je überschrieben wird. Wählen Sie eine, um sie zu sehen.</translation>
    </message>
    <message>
        <source>Resume</source>
        <translation>Weiter</translation>
    </message>
    <message>
        <source>Go on with a run that was cut short, with the marks it began with; or, where a finer detail is chosen now, answer more pairs of frames of the run on show.</source>
        <translation>Eine abgebrochene Messung mit ihren Markierungen fortsetzen; oder, wo jetzt eine feinere Dichte gewählt ist, mehr Bildpaare der gezeigten Messung beantworten.</translation>
    </message>
    <message>
        <source>Compare</source>
        <translation>Vergleich</translation>
    </message>
    <message>
        <source>Put runs beside each other, vessel by vessel, on one page.</source>
        <translation>Messungen Gefäß für Gefäß auf einer Seite nebeneinander stellen.</translation>
    </message>
    <message>
        <source>Delete</source>
        <translation>Löschen</translation>
    </message>
    <message>
        <source>Delete this run with all that it measured; asks first.</source>
        <translation>Diese Messung mit allem Gemessenen löschen; fragt vorher.</translation>
    </message>
    <message>
        <source>This cannot be undone. Your clicks stay.</source>
        <translation>Das lässt sich nicht zurücknehmen. Ihre Klicks bleiben.</translation>
    </message>
    <message>
        <source>SAM2Flow: compare runs</source>
        <translation>SAM2Flow: Messungen vergleichen</translation>
    </message>
    <message>
        <source>Vessels of the same number are compared; the first run that is ticked is the baseline.</source>
        <translation>Gefäße gleicher Nummer werden verglichen; die erste angekreuzte Messung ist der Ausgangswert.</translation>
    </message>
    <message>
        <source>Write the page into the project and open it.</source>
        <translation>Die Seite in das Projekt schreiben und öffnen.</translation>
    </message>
    <message>
        <source>Another recording…</source>
        <translation>Andere Aufnahme…</translation>
    </message>
    <message>
        <source>Add the newest run of another recording's project.</source>
        <translation>Die neueste Messung aus dem Projekt einer anderen Aufnahme dazunehmen.</translation>
    </message>
    <message>
        <source>cut short</source>
        <translation>unfertig</translation>
    </message>
    <message>
        <source>Refine</source>
        <translation>Feiner</translation>
    </message>
    <message>
        <source>Keep</source>
        <translation>Behalten</translation>
    </message>
    <message>
        <source>no tables</source>
        <translation>ohne Tabellen</translation>
    </message>
    <message>
        <source>Delete {name} with its masks, flow and tables?</source>
        <translation>{name} mit Masken, Strömung und Tabellen löschen?</translation>
    </message>
    <message>
        <source>Folder of another recording's project (*{suffix})</source>
        <translation>Projektordner einer anderen Aufnahme (*{suffix})</translation>
    </message>
    <message>
        <source>tick two runs or more to compare them</source>
        <translation>kreuzen Sie zwei oder mehr Messungen an, um sie zu vergleichen</translation>
    </message>
    <message>
        <source>The comparison is {answer}</source>
        <translation>Der Vergleich ist {answer}</translation>
    </message>
    <message>
        <source>{folder}: holds no finished run; choose a folder that ends in {suffix}</source>
        <translation>{folder}: enthält keine fertige Messung; wählen Sie einen Ordner, der auf {suffix} endet</translation>
    </message>
    <message>
        <source>quick</source>
        <translation>schnell</translation>
    </message>
    <message>
        <source>standard</source>
        <translation>normal</translation>
    </message>
    <message>
        <source>every frame</source>
        <translation>jedes Bild</translation>
    </message>
    <message>
        <source>Run</source>
        <translation>Messen</translation>
    </message>
    <message>
        <source>Measure the flow in the marked vessels, frame by frame.</source>
        <translation>Die Strömung in den markierten Gefäßen messen, Bild für Bild.</translation>
    </message>
    <message>
        <source>Masks to all frames</source>
        <translation>Masken in alle Bilder</translation>
    </message>
    <message>
        <source>Carry the masks of the frame on screen, or of a selected labels layer, to all frames, as a new labels layer without flow. The model may be weights of SAM 2.</source>
        <translation>Die Masken des gezeigten Bildes, oder einer gewählten Labels-Ebene, in alle Bilder tragen, als neue Ebene ohne Strömung. Das Modell darf ein SAM 2 sein.</translation>
    </message>
    <message>
        <source>Frames done, and the time the rest will take.</source>
        <translation>Fertige Bilder, und die Zeit, die der Rest braucht.</translation>
    </message>
    <message>
        <source>Mark a vessel first; then Run measures it.</source>
        <translation>Markieren Sie erst ein Gefäß; Messen misst es dann.</translation>
    </message>
    <message>
        <source>Stopping after the present frame…</source>
        <translation>Hält nach dem laufenden Bild an…</translation>
    </message>
    <message>
        <source>Batch: recording {number}, frame {frames_done} of {frames_total}</source>
        <translation>Stapel: Aufnahme {number}, Bild {frames_done} von {frames_total}</translation>
    </message>
    <message>
        <source>Batch: recording {number} is being read…</source>
        <translation>Stapel: Aufnahme {number} wird gelesen…</translation>
    </message>
    <message>
        <source>auto</source>
        <translation>auto</translation>
    </message>
    <message>
        <source>enlarged by 2</source>
        <translation>2-fach vergrößert</translation>
    </message>
    <message>
        <source>as recorded</source>
        <translation>wie aufgenommen</translation>
    </message>
    <message>
        <source>{whole} h {whole_2} min</source>
        <translation>{whole} h {whole_2} min</translation>
    </message>
    <message>
        <source>First frame of the run.</source>
        <translation>Erstes Bild der Messung.</translation>
    </message>
    <message>
        <source>Last frame of the run.</source>
        <translation>Letztes Bild der Messung.</translation>
    </message>
    <message>
        <source>Further ranges, each with rows of its own in the tables, such as a response after a baseline: 90-120, 150-179.</source>
        <translation>Weitere Bereiche, jeder mit eigenen Zeilen in den Tabellen, etwa eine Reaktion nach dem Ausgangswert: 90-120, 150-179.</translation>
    </message>
    <message>
        <source>Where to compute; auto takes a GPU where there is one.</source>
        <translation>Wo gerechnet wird; auto nimmt eine Grafikkarte, wo eine ist.</translation>
    </message>
    <message>
        <source>Name of a model preset, or the path of a checkpoint.</source>
        <translation>Name eines Modells, oder Pfad einer Gewichtsdatei.</translation>
    </message>
    <message>
        <source>The resolution at which masks and flow are sought; auto makes cells as large as the model knows.</source>
        <translation>Die Auflösung, in der Masken und Strömung gesucht werden; auto macht Zellen so groß, wie das Modell sie kennt.</translation>
    </message>
    <message>
        <source>Quick: pairs of frames at places all over the recording, a first table; standard: 40 pairs a second, which is what a heartbeat needs; every frame: all pairs. Each answer is made from all frames around it.</source>
        <translation>Schnell: Bildpaare an Stellen in der ganzen Aufnahme, eine erste Tabelle; normal: 40 Paare pro Sekunde, was ein Herzschlag braucht; jedes Bild: alle Paare. Jede Antwort entsteht aus allen Bildern ringsum.</translation>
    </message>
    <message>
        <source>Follow</source>
        <translation>Folgen</translation>
    </message>
    <message>
        <source>Move the time slider along with the run.</source>
        <translation>Den Zeitschieber mit der Messung bewegen.</translation>
    </message>
    <message>
        <source>Frames</source>
        <translation>Bilder</translation>
    </message>
    <message>
        <source>Device</source>
        <translation>Gerät</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>Modell</translation>
    </message>
    <message>
        <source>Scale</source>
        <translation>Maßstab</translation>
    </message>
    <message>
        <source>Detail</source>
        <translation>Dichte</translation>
    </message>
    <message>
        <source>Ready: {pairs} pairs, about {value} ({pairs_2:.2g} a second).</source>
        <translation>Bereit: {pairs} Paare, etwa {value} ({pairs_2:.2g} pro Sekunde).</translation>
    </message>
    <message>
        <source>Loading the model…</source>
        <translation>Das Modell wird geladen…</translation>
    </message>
    <message>
        <source>Reading the recording…</source>
        <translation>Die Aufnahme wird gelesen…</translation>
    </message>
    <message>
        <source>{whole} min {whole_2} s</source>
        <translation>{whole} min {whole_2} s</translation>
    </message>
    <message>
        <source>Ready: {pairs} pairs of frames.</source>
        <translation>Bereit: {pairs} Bildpaare.</translation>
    </message>
    <message>
        <source>Looking for vessels: {value:.0f} % of the field</source>
        <translation>Gefäße werden gesucht: {value:.0f} % des Feldes</translation>
    </message>
    <message>
        <source>Frame {frames_done} of {frames_total}, {left} left</source>
        <translation>Bild {frames_done} von {frames_total}, noch {left}</translation>
    </message>
    <message>
        <source>shrunk by {factor}</source>
        <translation>{factor}-fach verkleinert</translation>
    </message>
    <message>
        <source>Frames {start} to {stop}: the first comes after the last. Mend the range.</source>
        <translation>Bilder {start} bis {stop}: das erste kommt nach dem letzten. Ändern Sie den Bereich.</translation>
    </message>
    <message>
        <source>Frames {start} to {stop}: the recording ends with frame {shape}.</source>
        <translation>Bilder {start} bis {stop}: die Aufnahme endet mit Bild {shape}.</translation>
    </message>
    <message>
        <source>Frames {start} to {stop}: two frames at least are needed to see motion.</source>
        <translation>Bilder {start} bis {stop}: mindestens zwei Bilder braucht es, um Bewegung zu sehen.</translation>
    </message>
    <message>
        <source>Frames {a} to {b} and {c} to {d} overlap. Give ranges that are apart.</source>
        <translation>Bilder {a} bis {b} und {c} bis {d} überlappen. Geben Sie getrennte Bereiche an.</translation>
    </message>
    <message>
        <source>Masks carried to {frames_done} of {shape} frames</source>
        <translation>Masken in {frames_done} von {shape} Bildern</translation>
    </message>
    <message>
        <source>'{value}' is no range: give first and last frame, such as 90-120.</source>
        <translation>'{value}' ist kein Bereich: geben Sie erstes und letztes Bild an, etwa 90-120.</translation>
    </message>
    <message>
        <source>No.</source>
        <translation>Nr.</translation>
    </message>
    <message>
        <source>Name</source>
        <translation>Name</translation>
    </message>
    <message>
        <source>Prompts</source>
        <translation>Klicks</translation>
    </message>
    <message>
        <source>Mask</source>
        <translation>Maske</translation>
    </message>
    <message>
        <source>The number beside the vessel in the image. Tick to draw its mask and flow.</source>
        <translation>Die Nummer beim Gefäß im Bild. Ein Haken zeigt Maske und Strömung.</translation>
    </message>
    <message>
        <source>Double-click or F2 to rename.</source>
        <translation>Doppelklick oder F2, um umzubenennen.</translation>
    </message>
    <message>
        <source>Clicks on this vessel + and beside it −, boxes and painted masks.</source>
        <translation>Klicks auf das Gefäß + und daneben −, Kästen und gemalte Masken.</translation>
    </message>
    <message>
        <source>Whether a vessel was found under its clicks.</source>
        <translation>Ob unter den Klicks ein Gefäß gefunden wurde.</translation>
    </message>
    <message>
        <source>What tables and pages sort it by, such as its type: double-click to choose or type.</source>
        <translation>Wonach Tabellen und Seiten es ordnen, etwa seine Art: Doppelklick, um zu wählen oder zu schreiben.</translation>
    </message>
    <message>
        <source>{boxes} box</source>
        <translation>{boxes} Kasten</translation>
    </message>
    <message>
        <source>{count} mask</source>
        <translation>{count} Maske</translation>
    </message>
    <message>
        <source>Drag a rectangle about the selected vessel in this frame (key B).</source>
        <translation>Ein Rechteck um das gewählte Gefäß in diesem Bild ziehen (Taste B).</translation>
    </message>
    <message>
        <source>Draw a line along a vessel: it is measured by its space-time diagram alone, in all frames (key L). Click the corners; a double click ends it.</source>
        <translation>Eine Linie entlang eines Gefäßes zeichnen: allein nach ihrem Raum-Zeit-Diagramm gemessen, in allen Bildern (Taste L). Klicken Sie die Ecken an; ein Doppelklick beendet sie.</translation>
    </message>
    <message>
        <source>Your vessels. Select one to click on it; tick to show, double-click or F2 to rename, drag to another place.</source>
        <translation>Ihre Gefäße. Wählen Sie eines, um darauf zu klicken; Haken zum Zeigen, Doppelklick oder F2 zum Umbenennen, Ziehen an eine andere Stelle.</translation>
    </message>
    <message>
        <source>What the next click means. T flips it; Shift or Alt + click means 'not this vessel' once.</source>
        <translation>Was der nächste Klick bedeutet. T wechselt es; Umschalt oder Alt + Klick heißt einmal 'nicht dieses Gefäß'.</translation>
    </message>
    <message>
        <source>Paint</source>
        <translation>Malen</translation>
    </message>
    <message>
        <source>Paint the selected vessel with a brush in this frame, then use it as prompt (key M).</source>
        <translation>Das gewählte Gefäß in diesem Bild mit dem Pinsel malen und dann verwenden (Taste M).</translation>
    </message>
    <message>
        <source>Clear</source>
        <translation>Leeren</translation>
    </message>
    <message>
        <source>Take box and painted mask of the selected vessel in this frame away; while you paint, give up (Escape).</source>
        <translation>Kasten und gemalte Maske des gewählten Gefäßes in diesem Bild wegnehmen; beim Malen aufgeben (Escape).</translation>
    </message>
    <message>
        <source>What to click on: the film; the mean of its frames, as recorded or laid on the tissue; or its activity, which is bright where blood moves (key G). O hides and shows all that lies over it.</source>
        <translation>Worauf man klickt: der Film; das Mittel seiner Bilder, wie aufgenommen oder auf das Gewebe gelegt; oder seine Aktivität, hell, wo Blut sich bewegt (Taste G). O verbirgt und zeigt alles darüber.</translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>Zurück</translation>
    </message>
    <message>
        <source>Take back the last edit; while you paint, the last stroke (Ctrl+Z).</source>
        <translation>Die letzte Änderung zurücknehmen; beim Malen den letzten Strich (Strg+Z).</translation>
    </message>
    <message>
        <source>Redo</source>
        <translation>Wieder</translation>
    </message>
    <message>
        <source>Bring back what was undone (Ctrl+Shift+Z).</source>
        <translation>Zurückgenommenes wiederholen (Strg+Umschalt+Z).</translation>
    </message>
    <message>
        <source>Find vessels</source>
        <translation>Gefäße suchen</translation>
    </message>
    <message>
        <source>Propose all vessels of the recording: accept each with a click on its outline, or all (key Shift+F).</source>
        <translation>Alle Gefäße der Aufnahme vorschlagen: jedes mit einem Klick auf seinen Umriss annehmen, oder alle (Taste Umschalt+F).</translation>
    </message>
    <message>
        <source>Accept all</source>
        <translation>Alle annehmen</translation>
    </message>
    <message>
        <source>Take all outlines on show as vessels (one Undo takes them back).</source>
        <translation>Alle gezeigten Umrisse als Gefäße nehmen (ein Zurück nimmt sie weg).</translation>
    </message>
    <message>
        <source>Dismiss</source>
        <translation>Verwerfen</translation>
    </message>
    <message>
        <source>Take the outlines away; vessels that were accepted stay.</source>
        <translation>Die Umrisse wegnehmen; angenommene Gefäße bleiben.</translation>
    </message>
    <message>
        <source>Outlines less sure than this are left out: the overlap that is expected of their masks.</source>
        <translation>Weniger sichere Umrisse werden weggelassen: die Überdeckung, die von ihren Masken erwartet wird.</translation>
    </message>
    <message>
        <source>More</source>
        <translation>Mehr</translation>
    </message>
    <message>
        <source>Another mask for the clicks, bend the line, merge, split, or load a table of clicks.</source>
        <translation>Eine andere Maske für die Klicks, die Linie biegen, vereinen, teilen, oder eine Tabelle von Klicks laden.</translation>
    </message>
    <message>
        <source>Open a recording or the sample, or drop a file on the window.</source>
        <translation>Öffnen Sie eine Aufnahme oder das Beispiel, oder ziehen Sie eine Datei auf das Fenster.</translation>
    </message>
    <message>
        <source>Paint the vessel (2 paints, 1 erases), then use the mask, or give up (Escape).</source>
        <translation>Malen Sie das Gefäß (2 malt, 1 radiert), verwenden Sie dann die Maske, oder geben Sie auf (Escape).</translation>
    </message>
    <message>
        <source>Drag the points of the line: the mask follows (2 and a click: one more, 1: one less). C: done.</source>
        <translation>Ziehen Sie die Punkte der Linie: die Maske folgt (2 und Klick: einer mehr, 1: einer weniger). C: fertig.</translation>
    </message>
    <message>
        <source>Click along a vessel; a double click ends the line.</source>
        <translation>Klicken Sie entlang eines Gefäßes; ein Doppelklick beendet die Linie.</translation>
    </message>
    <message>
        <source>Measuring along the line…</source>
        <translation>Messung entlang der Linie…</translation>
    </message>
    <message>
        <source>Click on a vessel in the image, or have them all found (Find vessels).</source>
        <translation>Klicken Sie im Bild auf ein Gefäß, oder lassen Sie alle finden (Gefäße suchen).</translation>
    </message>
    <message>
        <source>Measuring. The window stays free: move through the frames, click, mend masks; Cancel keeps all rows.</source>
        <translation>Es wird gemessen. Das Fenster bleibt frei: blättern, klicken, verbessern; Abbrechen behält alle Zeilen.</translation>
    </message>
    <message>
        <source>Measured: see Results, and Export there. Click to mend a mask (Q: another one). N: a new vessel.</source>
        <translation>Gemessen: siehe Ergebnisse, und Export dort. Ein Klick verbessert eine Maske (Q: eine andere). N: neues Gefäß.</translation>
    </message>
    <message>
        <source>Click again to mend the mask (Shift: not this vessel). Q: another mask. N: a new vessel.</source>
        <translation>Klicken Sie weiter, um die Maske zu verbessern (Umschalt: nicht dieses Gefäß). Q: andere Maske. N: neues Gefäß.</translation>
    </message>
    <message>
        <source>No vessel that is left is that sure: lower the bound, or dismiss them.</source>
        <translation>Kein übriges Gefäß ist so sicher: senken Sie die Grenze, oder verwerfen Sie sie.</translation>
    </message>
    <message>
        <source>Merge with</source>
        <translation>Vereinen mit</translation>
    </message>
    <message>
        <source>Next mask that the clicks may mean (Q)</source>
        <translation>Nächste Maske, die die Klicks meinen können (Q)</translation>
    </message>
    <message>
        <source>Split off the selected clicks (else the newest)</source>
        <translation>Die gewählten Klicks abtrennen (sonst den neuesten)</translation>
    </message>
    <message>
        <source>Bend the middle line: the mask follows (C)</source>
        <translation>Die Mittellinie biegen: die Maske folgt (C)</translation>
    </message>
    <message>
        <source>Load prompts (CSV)…</source>
        <translation>Klicks laden (CSV)…</translation>
    </message>
    <message>
        <source>Load prompts</source>
        <translation>Klicks laden</translation>
    </message>
    <message>
        <source>Prompts (*.csv)</source>
        <translation>Klicks (*.csv)</translation>
    </message>
    <message>
        <source>Add</source>
        <translation>Neu</translation>
    </message>
    <message>
        <source>Add a vessel; the next clicks speak of it (key N).</source>
        <translation>Ein Gefäß hinzufügen; die nächsten Klicks meinen es (Taste N).</translation>
    </message>
    <message>
        <source>Delete the selected vessel with its clicks (can be undone).</source>
        <translation>Das gewählte Gefäß mit seinen Klicks löschen (lässt sich zurücknehmen).</translation>
    </message>
    <message>
        <source>Move the selected vessel up in the list.</source>
        <translation>Das gewählte Gefäß in der Liste nach oben rücken.</translation>
    </message>
    <message>
        <source>Move the selected vessel down in the list.</source>
        <translation>Das gewählte Gefäß in der Liste nach unten rücken.</translation>
    </message>
    <message>
        <source>Keys</source>
        <translation>Tasten</translation>
    </message>
    <message>
        <source>Show the keys and mouse buttons (key H).</source>
        <translation>Tasten und Mausknöpfe zeigen (Taste H).</translation>
    </message>
    <message>
        <source>Box</source>
        <translation>Kasten</translation>
    </message>
    <message>
        <source>Line</source>
        <translation>Linie</translation>
    </message>
    <message>
        <source>surer than</source>
        <translation>ab</translation>
    </message>
    <message>
        <source>Use the mask</source>
        <translation>Maske verwenden</translation>
    </message>
    <message>
        <source>Give up</source>
        <translation>Aufgeben</translation>
    </message>
    <message>
        <source>Click = this vessel  (+)</source>
        <translation>Klick: dazu  (+)</translation>
    </message>
    <message>
        <source>Click = not this  (−)</source>
        <translation>Klick: nicht dazu  (−)</translation>
    </message>
    <message>
        <source>The run was cut short: Resume, on Results, goes on with it. Run begins anew.</source>
        <translation>Die Messung wurde abgebrochen: Weiter, bei Ergebnisse, setzt sie fort. Messen beginnt neu.</translation>
    </message>
    <message>
        <source>{count} vessels proposed, confidence {most:.2f} to {least:.2f}: click on an outline to accept it.</source>
        <translation>{count} Gefäße vorgeschlagen, Sicherheit {most:.2f} bis {least:.2f}: ein Klick auf einen Umriss nimmt es an.</translation>
    </message>
    <message>
        <source>One vessel proposed, confidence {most:.2f}: click on its outline to accept it.</source>
        <translation>Ein Gefäß vorgeschlagen, Sicherheit {most:.2f}: ein Klick auf seinen Umriss nimmt es an.</translation>
    </message>
    <message>
        <source>Take all outlines on show as vessels; one Undo takes them back (Alt+A).
{density}</source>
        <translation>Alle gezeigten Umrisse als Gefäße nehmen; ein Zurück nimmt sie weg (Alt+A).
{density}</translation>
    </message>
    <message>
        <source>Opening {name}…</source>
        <translation>{name} wird geöffnet…</translation>
    </message>
    <message>
        <source>Click on the vessel that is to be {name}.</source>
        <translation>Klicken Sie auf das Gefäß, das {name} sein soll.</translation>
    </message>
    <message>
        <source>Looking for {name}…</source>
        <translation>{name} wird gesucht…</translation>
    </message>
    <message>
        <source>⚠ {name}: {said}</source>
        <translation>⚠ {name}: {said}</translation>
    </message>
    <message>
        <source>Accept all ({count})</source>
        <translation>Alle {count} nehmen</translation>
    </message>
    <message>
        <source>The run was stopped; what it has finished is kept in the project folder.</source>
        <translation>Die Messung wurde angehalten; was fertig ist, bleibt im Projektordner.</translation>
    </message>
    <message>
        <source>no image of another reader is open: use Open, or drop a file on the window</source>
        <translation>kein Bild eines anderen Lesers ist offen: öffnen Sie eines, oder ziehen Sie eine Datei auf das Fenster</translation>
    </message>
    <message>
        <source>{notice} The project asks for the model '{model}' of the Hugging Face hub; to fetch it, type it.</source>
        <translation>{notice} Das Projekt verlangt das Modell '{model}' vom Hugging Face Hub; um es zu holen, geben Sie seinen Namen ein.</translation>
    </message>
    <message>
        <source>The masks of all frames are in the layer {stem}, and in {masks}</source>
        <translation>Die Masken aller Bilder sind in der Ebene {stem}, und in {masks}</translation>
    </message>
    <message>
        <source>SAM2Flow failed: {kind}: {error}. Your clicks are saved.</source>
        <translation>SAM2Flow ist gescheitert: {kind}: {error}. Ihre Klicks sind gespeichert.</translation>
    </message>
    <message>
        <source>no velocity</source>
        <translation>keine Geschwindigkeit</translation>
    </message>
    <message>
        <source>{speed}, {grade}</source>
        <translation>{speed}, {grade}</translation>
    </message>
    <message>
        <source>{folder}: the tables of that run have rows without a vessel; run again</source>
        <translation>{folder}: Die Tabellen dieses Laufs haben Zeilen ohne Gefäß; messen Sie noch einmal</translation>
    </message>
    <message>
        <source>{folder}: the tables of that run lack the column {name}; run again</source>
        <translation>{folder}: Den Tabellen dieses Laufs fehlt die Spalte {name}; messen Sie noch einmal</translation>
    </message>
    <message>
        <source>{folder}: the tables of that run hold no numbers as {name}; run again</source>
        <translation>{folder}: Die Tabellen dieses Laufs enthalten keine Zahlen als {name}; messen Sie noch einmal</translation>
    </message>
    <message>
        <source>{path} exists already: choose another folder</source>
        <translation>{path} gibt es schon: Wählen Sie einen anderen Ordner</translation>
    </message>
    <message>
        <source>film, frame {done} of {total}</source>
        <translation>Film, Bild {done} von {total}</translation>
    </message>
    <message>
        <source>{path}: is missing or damaged, and the run has ended; `sam2flow report {folder}` makes tables and report anew</source>
        <translation>{path}: fehlt oder ist beschädigt, und der Lauf ist beendet; `sam2flow report {folder}` erstellt Tabellen und Bericht neu</translation>
    </message>
    <message>
        <source>{folder}: provenance.json is missing, which says how the run there was asked for; run again</source>
        <translation>{folder}: provenance.json fehlt, worin steht, womit die Messung dort begonnen wurde; messen Sie neu</translation>
    </message>
    <message>
        <source>{folder}: the run there was cut short before its first tables; go on with sam2flow run --resume</source>
        <translation>{folder}: Der Lauf dort brach vor seinen ersten Tabellen ab; setzen Sie ihn mit sam2flow run --resume fort</translation>
    </message>
    <message>
        <source>{recording}: the recording of this run has moved; give its path (--stack)</source>
        <translation>{recording}: Die Aufnahme dieses Laufs liegt nicht mehr dort; geben Sie ihren Pfad an (--stack)</translation>
    </message>
    <message>
        <source>measuring {count} vessels</source>
        <translation>{count} Gefäße werden vermessen</translation>
    </message>
    <message>
        <source>writing tables and report</source>
        <translation>Tabellen und Bericht werden geschrieben</translation>
    </message>
    <message>
        <source>{path}: films are written as .mp4 or .gif; choose one of these endings</source>
        <translation>{path}: Filme werden als .mp4 oder .gif geschrieben; wählen Sie eine dieser Endungen</translation>
    </message>
    <message>
        <source>no frame of the run lies in {start} to {end}: choose other frames</source>
        <translation>kein Bild der Messung liegt in {start} bis {end}: Wählen Sie andere Bilder</translation>
    </message>
    <message>
        <source>{path}: a line scan is one TIFF, PNG or JPEG file whose rows are time</source>
        <translation>{path}: Ein Linienscan ist eine TIFF-, PNG- oder JPEG-Datei, deren Zeilen die Zeit sind</translation>
    </message>
    <message>
        <source>{path}: no such file</source>
        <translation>{path}: Diese Datei gibt es nicht</translation>
    </message>
    <message>
        <source>{name}: a line scan has rows and columns, this picture has the shape {shape}</source>
        <translation>{name}: Ein Linienscan hat Zeilen und Spalten, dieses Bild hat die Form {shape}</translation>
    </message>
    <message>
        <source>{name}: {rows} rows of {width} columns are too few to follow cells; at least {least}</source>
        <translation>{name}: {rows} Zeilen mit {width} Spalten sind zu wenig, um Zellen zu folgen; mindestens {least}</translation>
    </message>
    <message>
        <source>{name}: holds values that are no numbers; export the scan again</source>
        <translation>{name}: enthält Werte, die keine Zahlen sind; exportieren Sie den Scan neu</translation>
    </message>
    <message>
        <source>{name}: columns {first}:{stop} are not in the scan, which has 0:{width}</source>
        <translation>{name}: Die Spalten {first}:{stop} liegen nicht im Scan, der 0:{width} hat</translation>
    </message>
    <message>
        <source>{count} pictures in the file: taken as one scan, the rows of each after those of the one before</source>
        <translation>{count} Bilder in der Datei: als ein Scan genommen, die Zeilen eines jeden nach denen des vorigen</translation>
    </message>
    <message>
        <source>the line's point {y:g},{x:g} (y,x) lies outside the frame of {height} x {width} px</source>
        <translation>der Punkt {y:g},{x:g} (y,x) der Linie liegt außerhalb des Bildes von {height} x {width} px</translation>
    </message>
    <message>
        <source>{folder}: other runs begin and end there all the time; choose another folder</source>
        <translation>{folder}: Dort beginnen und enden ständig andere Läufe; wählen Sie einen anderen Ordner</translation>
    </message>
    <message>
        <source>{path}: is a symbolic link where a lock file is needed; remove it</source>
        <translation>{path}: ist eine symbolische Verknüpfung, wo eine Sperrdatei nötig ist; entfernen Sie sie</translation>
    </message>
    <message>
        <source>{path}: is not a lock file of SAM2Flow; choose another folder</source>
        <translation>{path}: ist keine Sperrdatei von SAM2Flow; wählen Sie einen anderen Ordner</translation>
    </message>
    <message>
        <source>{parent}: a run on another computer is writing there, or was when it was cut off ({earlier}); if it has ended, remove {name} from the folder and try again</source>
        <translation>{parent}: Ein Lauf auf einem anderen Rechner schreibt dort, oder tat es, als er abbrach ({earlier}); ist er zu Ende, entfernen Sie {name} aus dem Ordner und versuchen Sie es noch einmal</translation>
    </message>
    <message>
        <source>took over the folder from a run that had ended without tidying up ({earlier})</source>
        <translation>den Ordner von einer Messung übernommen, die endete, ohne aufzuräumen ({earlier})</translation>
    </message>
    <message>
        <source>{folder}: is a link to another folder; delete it there</source>
        <translation>{folder}: ist eine Verknüpfung zu einem anderen Ordner; löschen Sie ihn dort</translation>
    </message>
    <message>
        <source>{out}: holds a finished run, which is not overwritten; choose another folder</source>
        <translation>{out}: enthält einen fertigen Lauf, der nicht überschrieben wird; wählen Sie einen anderen Ordner</translation>
    </message>
    <message>
        <source>{out}: holds an unfinished run; add --resume to go on with it, or choose another folder</source>
        <translation>{out}: enthält einen unfertigen Lauf; setzen Sie ihn fort (Fortsetzen, oder --resume), oder wählen Sie einen anderen Ordner</translation>
    </message>
    <message>
        <source>{store}: is a symbolic link; remove it, or choose another folder</source>
        <translation>{store}: ist eine symbolische Verknüpfung; entfernen Sie sie, oder wählen Sie einen anderen Ordner</translation>
    </message>
    <message>
        <source>{out}: is not empty (holds '{found}'); choose an empty or a new folder</source>
        <translation>{out}: ist nicht leer (enthält '{found}'); wählen Sie einen leeren oder neuen Ordner</translation>
    </message>
    <message>
        <source>{path}: is not a lock file of SAM2Flow; remove it, or choose another folder</source>
        <translation>{path}: ist keine Sperrdatei von SAM2Flow; entfernen Sie sie, oder wählen Sie einen anderen Ordner</translation>
    </message>
    <message>
        <source>{folder}: holds no run; nothing was deleted</source>
        <translation>{folder}: enthält keinen Lauf; nichts wurde gelöscht</translation>
    </message>
    <message>
        <source>{folder}: the folder was removed, moved or replaced while the run was writing there; stopped</source>
        <translation>{folder}: Der Ordner wurde entfernt, verschoben oder ersetzt, während der Lauf dort schrieb; angehalten</translation>
    </message>
    <message>
        <source>{folder}: another run is writing there ({earlier}); wait for its end, stop it, or choose another folder</source>
        <translation>{folder}: Ein anderer Lauf schreibt dort ({earlier}); warten Sie sein Ende ab, halten Sie ihn an, oder wählen Sie einen anderen Ordner</translation>
    </message>
    <message>
        <source>it began just now</source>
        <translation>er hat eben begonnen</translation>
    </message>
    <message>
        <source>{path}: the mask is {mask} px, a frame of the recording {frame}; give one image of the same size</source>
        <translation>{path}: Die Maske hat {mask} px, ein Bild der Aufnahme {frame}; geben Sie ein Bild von derselben Größe</translation>
    </message>
    <message>
        <source>{path}: nothing is marked, all is 0; give each object a number of its own</source>
        <translation>{path}: Nichts ist markiert, alles ist 0; geben Sie jedem Objekt eine eigene Nummer</translation>
    </message>
    <message>
        <source>{path}: holds more than one image; save that of the annotated frame by itself</source>
        <translation>{path}: enthält mehr als ein Bild; speichern Sie das des annotierten Bildes für sich</translation>
    </message>
    <message>
        <source>{out}: is there already; choose another name, or remove it first</source>
        <translation>{out}: ist schon da; wählen Sie einen anderen Namen, oder entfernen Sie es zuerst</translation>
    </message>
    <message>
        <source>frame {frame} is outside the recording (0 to {last}): give the one that was annotated</source>
        <translation>Bild {frame} liegt außerhalb der Aufnahme (0 bis {last}): geben Sie das an, das markiert wurde</translation>
    </message>
    <message>
        <source>nothing is marked in frame {frame}: mark an object there first</source>
        <translation>in Bild {frame} ist nichts markiert: markieren Sie dort zuerst ein Objekt</translation>
    </message>
    <message>
        <source>{path}: cannot be read as a TIFF image ({error})</source>
        <translation>{path}: lässt sich nicht als TIFF-Bild lesen ({error})</translation>
    </message>
    <message>
        <source>{out}: holds a run that differs in its {different}; choose another folder, or ask for the same run</source>
        <translation>{out}: enthält einen Lauf, der sich unterscheidet ({different}); wählen Sie einen anderen Ordner, oder verlangen Sie denselben Lauf</translation>
    </message>
    <message>
        <source>cannot repeat the run: here is another {different} than in its provenance</source>
        <translation>Der Lauf lässt sich nicht wiederholen: Hier ist anderes als in seiner Herkunftsdatei ({different})</translation>
    </message>
    <message>
        <source>{path}: is no provenance of a run that this version of SAM2Flow can read</source>
        <translation>{path}: ist keine Herkunftsdatei eines Laufs, die diese Version von SAM2Flow lesen kann</translation>
    </message>
    <message>
        <source>{path}: cannot be read as a provenance file ({reason})</source>
        <translation>{path}: lässt sich nicht als Herkunftsdatei lesen ({reason})</translation>
    </message>
    <message>
        <source>video_id '{video_id}' names no folder; give it letters or digits</source>
        <translation>video_id '{video_id}' benennt keinen Ordner; geben Sie Buchstaben oder Ziffern an</translation>
    </message>
    <message>
        <source>video_id '{video_id}' begins or ends with a mark that hides or changes a folder's name</source>
        <translation>video_id '{video_id}' beginnt oder endet mit einem Zeichen, das den Namen eines Ordners verbirgt oder ändert</translation>
    </message>
    <message>
        <source>video_id '{video_id}' is the name of a device on Windows; choose another</source>
        <translation>video_id '{video_id}' ist unter Windows der Name eines Geräts; wählen Sie einen anderen</translation>
    </message>
    <message>
        <source>video_id '{video_id}' is the name of a file that the batch itself writes; choose another</source>
        <translation>video_id '{video_id}' ist der Name einer Datei, die der Stapel selbst schreibt; wählen Sie einen anderen</translation>
    </message>
    <message>
        <source>video_id '{begin}...' is too long; give it at most {longest_bytes} letters</source>
        <translation>video_id '{begin}...' ist zu lang; geben Sie höchstens {longest_bytes} Buchstaben an</translation>
    </message>
    <message>
        <source>{path}: no recordings in it</source>
        <translation>{path}: enthält keine Aufnahmen</translation>
    </message>
    <message>
        <source>{recording}: the recording of this project has moved; give its path as STACK</source>
        <translation>{recording}: Die Aufnahme dieses Projekts liegt nicht mehr dort; geben Sie ihren Pfad als STACK an</translation>
    </message>
    <message>
        <source>{path}: '{video_id}' stands twice; give each row a video_id of its own</source>
        <translation>{path}: '{video_id}' kommt zweimal vor; geben Sie jeder Zeile eine eigene video_id</translation>
    </message>
    <message>
        <source>{path}: '{video_id}' and '{video_id_2}' would share the folder {name}; give them video_ids that differ in letters or digits</source>
        <translation>{path}: '{video_id}' und '{video_id_2}' hätten denselben Ordner {name}; geben Sie video_ids an, die sich in Buchstaben oder Ziffern unterscheiden</translation>
    </message>
    <message>
        <source>{path}, line {line}: {error}</source>
        <translation>{path}, Zeile {line}: {error}</translation>
    </message>
    <message>
        <source>{name}: is not as it was when its vessels were marked; open it and look</source>
        <translation>{name}: ist nicht mehr so wie beim Markieren der Gefäße; öffnen Sie sie und sehen Sie nach</translation>
    </message>
    <message>
        <source>{recording}: is not as it was when its vessels were marked; open it in napari, check the clicks, and run again</source>
        <translation>{recording}: ist nicht mehr so wie beim Markieren der Gefäße; öffnen Sie sie in napari, prüfen Sie die Klicks und messen Sie neu</translation>
    </message>
    <message>
        <source>{path}, line {line}: no {column}</source>
        <translation>{path}, Zeile {line}: {column} fehlt</translation>
    </message>
    <message>
        <source>{path}, line {line}: the {column} lies on another computer; copy it here</source>
        <translation>{path}, Zeile {line}: {column} liegt auf einem anderen Computer; kopieren Sie es hierher</translation>
    </message>
    <message>
        <source>{out}: the notes of its earlier run are damaged; run again into a new folder</source>
        <translation>{out}: Die Aufzeichnungen seines früheren Laufs sind beschädigt; messen Sie noch einmal, in einen neuen Ordner</translation>
    </message>
    <message>
        <source>reading the recording, loading the model</source>
        <translation>die Aufnahme wird gelesen, das Modell geladen</translation>
    </message>
    <message>
        <source>one pair of frames in {every} is answered{pace}, from all the frames around it; detail every (in the window: every frame) answers all</source>
        <translation>eines von {every} Bildpaaren wird beantwortet{pace}, aus allen Bildern darum herum; die Dichte „jedes Bild“ beantwortet alle</translation>
    </message>
    <message>
        <source>a quick look: {pairs} pairs of frames at {places} places are answered; go on in the same folder with --resume and more detail</source>
        <translation>ein schneller Blick: {pairs} Bildpaare an {places} Stellen wurden beantwortet; eine feinere Dichte und Verfeinern gehen weiter</translation>
    </message>
    <message>
        <source>, {rate:.3g} a second</source>
        <translation>, {rate:.3g} pro Sekunde</translation>
    </message>
    <message>
        <source>heart rate {value:g} Hz: no heart beats so ({least:g} to {most:g} Hz); give beats per second, not per minute</source>
        <translation>Herzfrequenz {value:g} Hz: So schlägt kein Herz ({least:g} bis {most:g} Hz); geben Sie Schläge pro Sekunde an, nicht pro Minute</translation>
    </message>
    <message>
        <source>detail '{detail}': give {names}, or a whole number N of 1 or more to answer one pair of N</source>
        <translation>Dichte '{detail}': Geben Sie {names} an, oder eine ganze Zahl N von 1 an, um eines von N Paaren zu beantworten</translation>
    </message>
    <message>
        <source>frames {start} to {stop}: the first must be 0 or more and before the last</source>
        <translation>Bilder {start} bis {stop}: Das erste muss 0 oder mehr sein und vor dem letzten liegen</translation>
    </message>
    <message>
        <source>frames {start} to {stop}: the recording has {frames} frames</source>
        <translation>Bilder {start} bis {stop}: Die Aufnahme hat {frames} Bilder</translation>
    </message>
    <message>
        <source>frames {start} to {stop}: at least two frames are needed to see motion</source>
        <translation>Bilder {start} bis {stop}: Bewegung sieht man erst in zwei Bildern</translation>
    </message>
    <message>
        <source>frames {a} to {b} and {c} to {d} overlap: give ranges that are apart</source>
        <translation>Bilder {a} bis {b} und {c} bis {d} überlappen: Geben Sie getrennte Bereiche an</translation>
    </message>
    <message>
        <source>{out}: the state of its unfinished run is damaged ({reason}); run again into a new folder</source>
        <translation>{out}: Der Stand der unfertigen Messung ist beschädigt ({reason}); messen Sie in einen neuen Ordner</translation>
    </message>
    <message>
        <source>the disk is full; free some space</source>
        <translation>Die Festplatte ist voll; schaffen Sie Platz</translation>
    </message>
    <message>
        <source>the disk quota is used up; free some space</source>
        <translation>Das Kontingent auf der Festplatte ist erschöpft; schaffen Sie Platz</translation>
    </message>
    <message>
        <source>the file grew larger than the disk or the system allows; choose another disk</source>
        <translation>Die Datei wurde größer, als Festplatte oder System erlauben; wählen Sie eine andere Festplatte</translation>
    </message>
    <message>
        <source>no permission to write there; choose another folder</source>
        <translation>keine Berechtigung, dort zu schreiben; wählen Sie einen anderen Ordner</translation>
    </message>
    <message>
        <source>the disk is read-only; choose another folder</source>
        <translation>Die Festplatte ist schreibgeschützt; wählen Sie einen anderen Ordner</translation>
    </message>
    <message>
        <source>a file stands where a folder is needed; choose another folder</source>
        <translation>Wo ein Ordner nötig ist, steht eine Datei; wählen Sie einen anderen Ordner</translation>
    </message>
    <message>
        <source>a folder stands where a file is needed; choose another name</source>
        <translation>Wo eine Datei nötig ist, steht ein Ordner; wählen Sie einen anderen Namen</translation>
    </message>
    <message>
        <source>the name is too long for this disk; choose a shorter one</source>
        <translation>Der Name ist zu lang für diese Festplatte; wählen Sie einen kürzeren</translation>
    </message>
    <message>
        <source>symbolic links lead in a circle there; choose another folder</source>
        <translation>Symbolische Verknüpfungen führen dort im Kreis; wählen Sie einen anderen Ordner</translation>
    </message>
    <message>
        <source>the folder has vanished; is the drive still connected?</source>
        <translation>Der Ordner ist verschwunden; ist das Laufwerk noch verbunden?</translation>
    </message>
    <message>
        <source>the disk failed; is the drive still connected?</source>
        <translation>Die Festplatte hat versagt; ist das Laufwerk noch verbunden?</translation>
    </message>
    <message>
        <source>the file share has vanished; connect it again</source>
        <translation>Die Dateifreigabe ist verschwunden; verbinden Sie sie neu</translation>
    </message>
    <message>
        <source>{path}: is a device or pipe; give the name of a file</source>
        <translation>{path}: ist ein Gerät oder eine Pipe; geben Sie den Namen einer Datei an</translation>
    </message>
    <message>
        <source>{path}: {reason}{then}</source>
        <translation>{path}: {reason}{then}</translation>
    </message>
    <message>
        <source>{path}: is what the result would be made from; choose another name</source>
        <translation>{path}: ist, woraus das Ergebnis entstünde; wählen Sie einen anderen Namen</translation>
    </message>
    <message>
        <source>{path}: holds no text, and tables are written into a Markdown file</source>
        <translation>{path}: enthält keinen Text, und Tabellen werden in eine Markdown-Datei geschrieben</translation>
    </message>
    <message>
        <source>the memory of {device} is too small for this recording: choose the device cpu, or crop the frames</source>
        <translation>Der Speicher von {device} ist zu klein für diese Aufnahme: Wählen Sie das Gerät cpu, oder schneiden Sie die Bilder zu</translation>
    </message>
    <message>
        <source>the memory of {device} is full: from frame {t} on vessels are answered in {count} groups</source>
        <translation>der Speicher von {device} ist voll: ab Bild {t} werden die Gefäße in {count} Gruppen beantwortet</translation>
    </message>
    <message>
        <source>the memory of {device} is full: from frame {t} on the processor goes on, slower</source>
        <translation>der Speicher von {device} ist voll: ab Bild {t} macht der Prozessor weiter, langsamer</translation>
    </message>
    <message>
        <source>could not be fetched from the Hugging Face hub ({kind})</source>
        <translation>ließ sich nicht vom Hugging Face Hub holen ({kind})</translation>
    </message>
    <message>
        <source>{path}: no such weights file; give 'tiny' or the path of a .safetensors file</source>
        <translation>{path}: keine solche Datei mit Gewichten; geben Sie 'tiny' an oder den Pfad einer .safetensors-Datei</translation>
    </message>
    <message>
        <source>{said_by} asks for the model '{name}' of the Hugging Face hub: add --download if you want it fetched</source>
        <translation>{said_by} verlangt das Modell '{name}' vom Hugging Face Hub: mit --download wird es geholt</translation>
    </message>
    <message>
        <source>is no file or folder here, and the Hugging Face hub cannot be reached. Without network, copy the model's folder to this computer and give its path</source>
        <translation>ist hier weder Datei noch Ordner, und der Hugging Face Hub ist nicht erreichbar. Ohne Netz kopieren Sie den Ordner des Modells auf diesen Rechner und geben seinen Pfad an</translation>
    </message>
    <message>
        <source>is no file or folder here, nor a model on the Hugging Face hub that may be read; check the spelling</source>
        <translation>ist hier weder Datei noch Ordner, und kein lesbares Modell auf dem Hugging Face Hub; prüfen Sie die Schreibweise</translation>
    </message>
    <message>
        <source>is on the Hugging Face hub, but without {config} and {weights}: not weights of SAM2Flow</source>
        <translation>ist auf dem Hugging Face Hub, aber ohne {config} und {weights}: keine Gewichte von SAM2Flow</translation>
    </message>
    <message>
        <source>'{name}' {why}</source>
        <translation>'{name}' {why}</translation>
    </message>
    <message>
        <source>frame {frame} is outside the recording (0 to {last})</source>
        <translation>Bild {frame} liegt außerhalb der Aufnahme (0 bis {last})</translation>
    </message>
    <message>
        <source>recent_n {frames}: give 1 or more frames</source>
        <translation>recent_n {frames}: geben Sie 1 oder mehr Bilder an</translation>
    </message>
    <message>
        <source>there is no object {obj_id}</source>
        <translation>es gibt kein Objekt {obj_id}</translation>
    </message>
    <message>
        <source>object {obj_id} has no prompt left: add one, or remove the object</source>
        <translation>Objekt {obj_id} hat keine Markierung mehr: fügen Sie eine hinzu, oder entfernen Sie das Objekt</translation>
    </message>
    <message>
        <source>no size of SAM 2 has an image encoder of {count} blocks and width {embed}; tiny, small, base plus and large can be used</source>
        <translation>keine Größe von SAM 2 hat einen Bildkodierer von {count} Blöcken und Breite {embed}; verwendbar sind tiny, small, base plus und large</translation>
    </message>
    <message>
        <source>no size of SAM has an image encoder of width {width}; vit_b, vit_l and vit_h can be used</source>
        <translation>keine Größe von SAM hat einen Bildkodierer der Breite {width}; verwendbar sind vit_b, vit_l und vit_h</translation>
    </message>
    <message>
        <source>{path}: no checkpoint of SAM 2: it has no table of weights called 'model'</source>
        <translation>{path}: keine Gewichte von SAM 2: es gibt keine Tabelle namens 'model'</translation>
    </message>
    <message>
        <source>the checkpoint lacks {count} tensors that masks depend on, {missing} the first; it is not complete</source>
        <translation>den Gewichten fehlen {count} Tensoren, von denen Masken abhängen, {missing} als erster; die Datei ist nicht vollständig</translation>
    </message>
    <message>
        <source>its place has the shape {shape}</source>
        <translation>an seiner Stelle ist die Form {shape}</translation>
    </message>
    <message>
        <source>{path}: no such weights file</source>
        <translation>{path}: Diese Datei mit Gewichten gibt es nicht</translation>
    </message>
    <message>
        <source>{path}: cannot be read as a checkpoint; it holds no table</source>
        <translation>{path}: lässt sich nicht als Gewichte lesen; die Datei enthält keine Tabelle</translation>
    </message>
    <message>
        <source>{path}: is packed in a way that PyTorch never does; it was refused</source>
        <translation>{path}: ist so gepackt, wie PyTorch es nie tut, und wurde abgelehnt</translation>
    </message>
    <message>
        <source>{path}: holds more than weights, or is damaged; it was refused and nothing in it was run. Fetch the file anew from where it comes from</source>
        <translation>{path}: enthält mehr als Gewichte oder ist beschädigt; die Datei wurde abgelehnt und nichts darin ausgeführt. Holen Sie sie neu, woher sie stammt</translation>
    </message>
    <message>
        <source>{path}: cannot be read as a checkpoint; the download may be incomplete</source>
        <translation>{path}: lässt sich nicht als Gewichte lesen; vielleicht wurde die Datei nicht vollständig heruntergeladen</translation>
    </message>
    <message>
        <source>{path}: does not fit this program, or is damaged ({error})</source>
        <translation>{path}: passt nicht zu diesem Programm oder ist beschädigt ({error})</translation>
    </message>
    <message>
        <source>{path}: damaged: the weights {name} are no finite numbers; fetch it anew</source>
        <translation>{path}: beschädigt: Die Gewichte {name} sind keine endlichen Zahlen; holen Sie die Datei neu</translation>
    </message>
    <message>
        <source>{path}: cannot be read as a checkpoint, and nothing in it was run; it is damaged, or of before PyTorch 1.6: save it anew</source>
        <translation>{path}: lässt sich nicht als Gewichte lesen, und nichts darin wurde ausgeführt; die Datei ist beschädigt oder älter als PyTorch 1.6: speichern Sie sie neu</translation>
    </message>
    <message>
        <source>vessel {obj_id}: the click at y {y:g}, x {x:g} lies in a margin that shows nothing; move it</source>
        <translation>Gefäß {obj_id}: Der Klick bei y {y:g}, x {x:g} liegt in einem Rand, der nichts zeigt; verschieben Sie ihn</translation>
    </message>
    <message>
        <source>there is no vessel {obj_id}</source>
        <translation>es gibt kein Gefäß {obj_id}</translation>
    </message>
    <message>
        <source>there is no {object_name} {obj_id}</source>
        <translation>es gibt kein {object_name} {obj_id}</translation>
    </message>
    <message>
        <source>{path}: a safetensors file, but not weights of SAM2Flow</source>
        <translation>{path}: eine safetensors-Datei, aber keine Gewichte von SAM2Flow</translation>
    </message>
    <message>
        <source>{folder}: a model, but not of SAM2Flow; SAM 2 itself is read from its .pt file</source>
        <translation>{folder}: ein Modell, aber nicht von SAM2Flow; SAM 2 selbst wird aus seiner .pt-Datei gelesen</translation>
    </message>
    <message>
        <source>device '{name}' is not available on this computer; use --device auto</source>
        <translation>Das Gerät '{name}' gibt es auf diesem Rechner nicht; wählen Sie auto</translation>
    </message>
    <message>
        <source>{path}: not a safetensors file; only files written by 'sam2flow train' can be used</source>
        <translation>{path}: keine safetensors-Datei; nur Dateien von 'sam2flow train' können benutzt werden</translation>
    </message>
    <message>
        <source>{path}: its header is damaged ({reason}); fetch it anew</source>
        <translation>{path}: Ihr Kopf ist beschädigt ({reason}); holen Sie die Datei neu</translation>
    </message>
    <message>
        <source>{folder}: no model in this folder; {config_file} and {weights_file} should be there</source>
        <translation>{folder}: kein Modell in diesem Ordner; {config_file} und {weights_file} sollten da sein</translation>
    </message>
    <message>
        <source>{file}: cannot be read ({reason})</source>
        <translation>{file}: nicht lesbar ({reason})</translation>
    </message>
    <message>
        <source>no setting '{key}' in the model's configuration</source>
        <translation>keine Einstellung '{key}' in der Konfiguration des Modells</translation>
    </message>
    <message>
        <source>device '{name}' is none; use --device auto, cpu, cuda or mps</source>
        <translation>'{name}' ist kein Gerät; wählen Sie auto, cpu, cuda oder mps</translation>
    </message>
    <message>
        <source>{path}: the weights do not fit their configuration ({first} is the first)</source>
        <translation>{path}: Die Gewichte passen nicht zu ihrer Konfiguration (zuerst {first})</translation>
    </message>
    <message>
        <source>Vessel {number}</source>
        <translation>Gefäß {number}</translation>
    </message>
    <message>
        <source>prompts.csv beside it can be opened instead</source>
        <translation>prompts.csv daneben lässt sich stattdessen öffnen</translation>
    </message>
    <message>
        <source>{folder}: cannot create the project folder ({reason})</source>
        <translation>{folder}: Der Projektordner lässt sich nicht anlegen ({reason})</translation>
    </message>
    <message>
        <source>{folder}: not a SAM2Flow project (no {project_file} in it)</source>
        <translation>{folder}: kein Projekt von SAM2Flow (ohne {project_file})</translation>
    </message>
    <message>
        <source>{file}: cannot be read ({reason}); {instead}</source>
        <translation>{file}: nicht lesbar ({reason}); {instead}</translation>
    </message>
    <message>
        <source>{file}: written by a newer SAM2Flow; update the plugin to open it</source>
        <translation>{file}: von einem neueren SAM2Flow geschrieben; aktualisieren Sie das Plugin, um es zu öffnen</translation>
    </message>
    <message>
        <source>{file}: damaged, cannot be read ({reason}); {instead}</source>
        <translation>{file}: beschädigt, nicht lesbar ({reason}); {instead}</translation>
    </message>
    <message>
        <source>{vessel}: pixel y={y:g}, x={x:g} of frame {frame} is clicked with label 1 (this vessel) and with label 0 (not this vessel); remove one of the two clicks</source>
        <translation>{vessel}: Der Pixel y={y:g}, x={x:g} in Bild {frame} ist mit Label 1 (dieses Gefäß) und mit Label 0 (nicht dieses Gefäß) angeklickt; entfernen Sie einen der beiden Klicks</translation>
    </message>
    <message>
        <source>{path}: no prompts in it; add at least one row with label 1</source>
        <translation>{path}: enthält keine Klicks; mindestens eine Zeile mit label 1 ist nötig</translation>
    </message>
    <message>
        <source>{vessel}: ids run from 1 to 65535</source>
        <translation>{vessel}: Nummern gehen von 1 bis 65535</translation>
    </message>
    <message>
        <source>{vessel}: label {label} is neither 1 (vessel) nor 0 (not this vessel)</source>
        <translation>{vessel}: label {label} ist weder 1 (Gefäß) noch 0 (nicht dieses Gefäß)</translation>
    </message>
    <message>
        <source>{vessel}: frame {frame} is outside the recording (0 to {last})</source>
        <translation>{vessel}: Bild {frame} liegt außerhalb der Aufnahme (0 bis {last})</translation>
    </message>
    <message>
        <source>{vessel}: point {place} is outside the image ({height} x {width} px)</source>
        <translation>{vessel}: Der Punkt {place} liegt außerhalb des Bildes ({height} x {width} px)</translation>
    </message>
    <message>
        <source>{vessel}: the box in frame {frame} does not lie in the image ({height} x {width} px)</source>
        <translation>{vessel}: Der Kasten in Bild {frame} liegt nicht im Bild ({height} x {width} px)</translation>
    </message>
    <message>
        <source>{vessel}: the mask in frame {frame} has {height} x {width} px, the recording {height_2} x {width_2}; paint it again on this recording</source>
        <translation>{vessel}: Die Maske in Bild {frame} hat {height} x {width} px, die Aufnahme {height_2} x {width_2}; malen Sie sie auf dieser Aufnahme neu</translation>
    </message>
    <message>
        <source>{vessel}: the mask in frame {frame} is empty; paint the vessel, or delete the mask</source>
        <translation>{vessel}: Die Maske in Bild {frame} ist leer; malen Sie das Gefäß, oder löschen Sie die Maske</translation>
    </message>
    <message>
        <source>{place}: a value is missing or not a number ({column})</source>
        <translation>{place}: Ein Wert fehlt oder ist keine Zahl ({column})</translation>
    </message>
    <message>
        <source>{place}: vessel_id, frame and label must be whole numbers, and no huge ones</source>
        <translation>{place}: vessel_id, frame und label müssen ganze Zahlen sein, und keine riesigen</translation>
    </message>
    <message>
        <source>vessel {vessel} has negative clicks only; add a click with label 1 on the vessel</source>
        <translation>Gefäß {vessel} hat nur Klicks „nicht dieses Gefäß“; klicken Sie auch auf das Gefäß</translation>
    </message>
    <message>
        <source>vessel {vessel} has {count} clicks in frame {frame}; {most} are taken at most, and three along a vessel are enough</source>
        <translation>Gefäß {vessel} hat {count} Klicks in Bild {frame}; höchstens {most} werden angenommen, und drei entlang eines Gefäßes genügen</translation>
    </message>
    <message>
        <source>{place}: vessel {vessel} has two {column}s, '{known}' and '{text}'</source>
        <translation>{place}: Gefäß {vessel} hat zweierlei {column}, '{known}' und '{text}'</translation>
    </message>
    <message>
        <source>; what is finished is kept, go on with --resume</source>
        <translation>; was fertig ist, bleibt: Fortsetzen macht dort weiter</translation>
    </message>
    <message>
        <source>results of layout {version}, this SAM2Flow reads {current}</source>
        <translation>Ergebnisse im Format {version}, dieses SAM2Flow liest {current}</translation>
    </message>
    <message>
        <source>{parent}: {found}; update SAM2Flow</source>
        <translation>{parent}: {found}; aktualisieren Sie SAM2Flow</translation>
    </message>
    <message>
        <source>{parent}: an earlier SAM2Flow began this run; run again into a new folder</source>
        <translation>{parent}: Ein früheres SAM2Flow hat diesen Lauf begonnen; messen Sie noch einmal, in einen neuen Ordner</translation>
    </message>
    <message>
        <source>{store}: these results are damaged ({reason}); run again</source>
        <translation>{store}: Diese Ergebnisse sind beschädigt ({reason}); messen Sie noch einmal</translation>
    </message>
    <message>
        <source>{parent}: no results of a run there; give the folder that `sam2flow run --out` wrote</source>
        <translation>{parent}: dort sind keine Ergebnisse eines Laufs; geben Sie den Ordner an, den `sam2flow run --out` schrieb</translation>
    </message>
    <message>
        <source>{store_path}: a part of '{name}' is missing from these results; copy the folder anew, or run again</source>
        <translation>{store_path}: Ein Teil von '{name}' fehlt in diesen Ergebnissen; kopieren Sie den Ordner neu, oder messen Sie neu</translation>
    </message>
    <message>
        <source>{store_path}: '{name}' is missing from these results; run again</source>
        <translation>{store_path}: '{name}' fehlt in diesen Ergebnissen; messen Sie noch einmal</translation>
    </message>
    <message>
        <source>{path}: cannot be read ({reason}); run again without --resume into a new folder</source>
        <translation>{path}: nicht lesbar ({reason}); messen Sie noch einmal, in einen neuen Ordner</translation>
    </message>
    <message>
        <source>{path}: was removed while the run was writing there; stopped</source>
        <translation>{path}: wurde entfernt, während der Lauf dort schrieb; angehalten</translation>
    </message>
    <message>
        <source>the columns are {names}</source>
        <translation>die Spalten sind {names}</translation>
    </message>
    <message>
        <source>{path}: the file is empty; expected the columns {names}</source>
        <translation>{path}: Die Datei ist leer; erwartet sind die Spalten {names}</translation>
    </message>
    <message>
        <source>{path}: not a CSV table; expected the columns {names}</source>
        <translation>{path}: keine CSV-Tabelle; erwartet sind die Spalten {names}</translation>
    </message>
    <message>
        <source>{path}, line {line}: more values than there are columns ({names})</source>
        <translation>{path}, Zeile {line}: mehr Werte als Spalten ({names})</translation>
    </message>
    <message>
        <source>{path}, line {line}: a value in a column without a name; the columns are {names}</source>
        <translation>{path}, Zeile {line}: ein Wert in einer Spalte ohne Namen; die Spalten sind {names}</translation>
    </message>
    <message>
        <source>{path}: '{one}' has a comma and '{other}' a point; write all numbers with a decimal point</source>
        <translation>{path}: '{one}' hat ein Komma und '{other}' einen Punkt; schreiben Sie alle Zahlen mit Dezimalpunkt</translation>
    </message>
    <message>
        <source>{path}: '{cell}' may mean {decimal} or {plain}; write it as 12.5 or 12500</source>
        <translation>{path}: '{cell}' kann {decimal} oder {plain} heißen; schreiben Sie 12.5 oder 12500</translation>
    </message>
    <message>
        <source>'{text}' in column {column}</source>
        <translation>'{text}' in Spalte {column}</translation>
    </message>
    <message>
        <source>{path}, line {line}: a value is missing or not a number: {found}</source>
        <translation>{path}, Zeile {line}: Ein Wert fehlt oder ist keine Zahl: {found}</translation>
    </message>
    <message>
        <source>{path}: not a CSV table ({fault}); expected the columns {names}</source>
        <translation>{path}: keine CSV-Tabelle ({fault}); erwartet sind die Spalten {names}</translation>
    </message>
    <message>
        <source>{path}: no permission to read this file</source>
        <translation>{path}: Diese Datei darf nicht gelesen werden</translation>
    </message>
    <message>
        <source>{path}: cannot be read ({fault}); expected the columns {names}</source>
        <translation>{path}: lässt sich nicht lesen ({fault}); erwartet sind die Spalten {names}</translation>
    </message>
    <message>
        <source>{path}: not a CSV table in UTF-8; save it as 'CSV UTF-8'</source>
        <translation>{path}: keine CSV-Tabelle in UTF-8; speichern Sie sie als 'CSV UTF-8'</translation>
    </message>
    <message>
        <source>{path}: unknown column '{name}'; {known}</source>
        <translation>{path}: unbekannte Spalte '{name}'; {known}</translation>
    </message>
    <message>
        <source>{path}: column '{name}' stands twice; {known}</source>
        <translation>{path}: Die Spalte '{name}' steht zweimal da; {known}</translation>
    </message>
    <message>
        <source>{path}: column '{name}' is missing; {known}</source>
        <translation>{path}: Die Spalte '{name}' fehlt; {known}</translation>
    </message>
    <message>
        <source>{path}: this table cannot be read ({error})</source>
        <translation>{path}: Diese Tabelle lässt sich nicht lesen ({error})</translation>
    </message>
    <message>
        <source>{name}: pixels are numbers of a colour palette, no brightness; convert to greyscale first (Fiji: Image &gt; Type &gt; RGB Color, then 8-bit)</source>
        <translation>{name}: Die Pixel sind Nummern einer Farbpalette, keine Helligkeit; wandeln Sie erst in Graustufen um (Fiji: Image &gt; Type &gt; RGB Color, dann 8-bit)</translation>
    </message>
    <message>
        <source>pixel size</source>
        <translation>Pixelgröße</translation>
    </message>
    <message>
        <source>frame rate</source>
        <translation>Bildrate</translation>
    </message>
    <message>
        <source>{what} {value:.4g} {unit}</source>
        <translation>{what} {value:.4g} {unit}</translation>
    </message>
    <message>
        <source>{what} {value:g} {unit}: must be a number above 0</source>
        <translation>{what} {value:g} {unit}: muss eine Zahl über 0 sein</translation>
    </message>
    <message>
        <source>{what} {value:g} {unit} cannot be that of a microscope ({least:g} to {most:g} {unit}); give it in {unit}</source>
        <translation>{what} {value:g} {unit} kann nicht die eines Mikroskops sein ({least:g} bis {most:g} {unit}); geben Sie sie in {unit} an</translation>
    </message>
    <message>
        <source>no {what} in the file: give it in {given_in} to get velocities in um/s</source>
        <translation>keine {what} in der Datei: Geben Sie sie in {given_in} an, um Geschwindigkeiten in um/s zu erhalten</translation>
    </message>
    <message>
        <source>{value} ({source}) is not plausible and is not used: give it</source>
        <translation>{value} ({source}) ist nicht glaubhaft und wird nicht benutzt: Geben Sie den Wert an</translation>
    </message>
    <message>
        <source>{value} is that at which the video plays: give it if the camera had another</source>
        <translation>{value} ist die, mit der das Video spielt: Geben Sie die der Kamera an, wenn sie eine andere war</translation>
    </message>
    <message>
        <source>um per pixel</source>
        <translation>um pro Pixel</translation>
    </message>
    <message>
        <source>{one}; {other}</source>
        <translation>{one}; {other}</translation>
    </message>
    <message>
        <source>{count} files joined, {name} to {last}: {frames} frames</source>
        <translation>{count} Dateien verbunden, {name} bis {last}: {frames} Bilder</translation>
    </message>
    <message>
        <source>{name}: files of {count} different names, {names}: no single series of frames; put the frames of one recording and of one channel into a folder of their own, numbered</source>
        <translation>{name}: Dateien mit {count} verschiedenen Namen, {names}: keine einzelne Bildreihe; legen Sie die Bilder einer Aufnahme und eines Kanals nummeriert in einen eigenen Ordner</translation>
    </message>
    <message>
        <source>{name}: several files have one number, such as {name_2}; keep one of each frame</source>
        <translation>{name}: Mehrere Dateien haben dieselbe Nummer, etwa {name_2}; behalten Sie eine von jedem Bild</translation>
    </message>
    <message>
        <source>{name}: the names count in {count} places ({name_2} to {name_3}), so several series or channels lie in one folder; put the frames of one into a folder of their own</source>
        <translation>{name}: Die Namen zählen an {count} Stellen ({name_2} bis {name_3}), es liegen also mehrere Reihen oder Kanäle in einem Ordner; legen Sie die Bilder einer Reihe in einen eigenen Ordner</translation>
    </message>
    <message>
        <source>file numbers jump {jumps} times, first after {first}: frames are missing</source>
        <translation>Die Nummern der Dateien springen {jumps}-mal, zuerst nach {first}: Bilder fehlen</translation>
    </message>
    <message>
        <source>this is a later part of a split recording, from frame {first} on: open its first file</source>
        <translation>dies ist ein späterer Teil einer geteilten Aufnahme, ab Bild {first}: öffnen Sie deren erste Datei</translation>
    </message>
    <message>
        <source>the names count {planes} ('{labels}' in {name}): they are read as frames</source>
        <translation>die Namen zählen {planes} ('{labels}' in {name}): sie werden als Bilder der Zeit nach gelesen</translation>
    </message>
    <message>
        <source>{count} pictures of other names are not frames and are left out: {names}</source>
        <translation>{count} Bilder mit anderen Namen gehören nicht dazu und bleiben weg: {names}</translation>
    </message>
    <message>
        <source>{name}: {count} {called} in one folder ('{label}' in {name_2}): a recording has one picture per time point; put the frames of one of them into a folder of their own</source>
        <translation>{name}: {count} {called} in einem Ordner ('{label}' in {name_2}): Eine Aufnahme hat ein Bild pro Zeitpunkt; legen Sie die Bilder von einem davon in einen eigenen Ordner</translation>
    </message>
    <message>
        <source>{frames} of {planned} planned frames: the recording was stopped, or its other files are missing</source>
        <translation>{frames} von {planned} geplanten Bildern: die Aufnahme wurde beendet, oder ihre anderen Dateien fehlen</translation>
    </message>
    <message>
        <source>part {part} is missing, later ones are left out</source>
        <translation>Teil {part} fehlt, spätere bleiben weg</translation>
    </message>
    <message>
        <source>{beside} lies beside it and is taken for another recording, not for its second part</source>
        <translation>{beside} liegt daneben und gilt als andere Aufnahme, nicht als zweiter Teil</translation>
    </message>
    <message>
        <source>{name} lies beside it and is another recording, it does not go on where this one ends</source>
        <translation>{name} liegt daneben und ist eine andere Aufnahme: sie beginnt nicht, wo diese endet</translation>
    </message>
    <message>
        <source>this is a later part of a split recording: open {name} for all of it</source>
        <translation>dies ist ein späterer Teil einer geteilten Aufnahme: öffnen Sie {name}, um alles zu sehen</translation>
    </message>
    <message>
        <source>{name}: the recording was changed or replaced while it was open; leave it as it is until the run has ended, and start anew</source>
        <translation>{name}: Die Aufnahme wurde geändert oder ersetzt, während sie offen war; lassen Sie sie bis zum Ende der Messung, wie sie ist, und beginnen Sie neu</translation>
    </message>
    <message>
        <source>{name}: the recording was removed or renamed, or its drive or share has vanished; connect it again</source>
        <translation>{name}: Die Aufnahme wurde entfernt oder umbenannt, oder ihr Laufwerk ist verschwunden; verbinden Sie es wieder</translation>
    </message>
    <message>
        <source>{name}: the recording can no longer be read ({strerror}); is its drive still connected?</source>
        <translation>{name}: Die Aufnahme kann nicht mehr gelesen werden ({strerror}); ist ihr Laufwerk noch verbunden?</translation>
    </message>
    <message>
        <source> (its folder holds {count} numbered frames: open the folder)</source>
        <translation> (ihr Ordner enthält {count} nummerierte Bilder: öffnen Sie den Ordner)</translation>
    </message>
    <message>
        <source>{folder}: {count} recordings in this folder; open one of them, such as {name}</source>
        <translation>{folder}: {count} Aufnahmen in diesem Ordner; öffnen Sie eine davon, etwa {name}</translation>
    </message>
    <message>
        <source>{folder}: a Zarr folder is not opened by its path; open it in napari with a reader of its own and choose that layer as the recording, or save it as TIFF</source>
        <translation>{folder}: Ein Zarr-Ordner lässt sich nicht über seinen Pfad öffnen; öffnen Sie ihn in napari mit einem eigenen Leser und wählen Sie diese Ebene als Aufnahme, oder speichern Sie ihn als TIFF</translation>
    </message>
    <message>
        <source>{folder}: no TIFF, PNG or JPEG files in this folder, and no video</source>
        <translation>{folder}: keine TIFF-, PNG- oder JPEG-Dateien in diesem Ordner, und kein Video</translation>
    </message>
    <message>
        <source>{folder}: {count} videos in this folder; open one of them, such as {name}</source>
        <translation>{folder}: {count} Videos in diesem Ordner; öffnen Sie eines davon, etwa {name}</translation>
    </message>
    <message>
        <source>{count} {what} are no part of the recording and are left out: {names}</source>
        <translation>{count} {what} gehören nicht zur Aufnahme und bleiben weg: {names}</translation>
    </message>
    <message>
        <source> (a line scan, with time downwards, is measured by: sam2flow linescan {name})</source>
        <translation> (ein Linienscan, mit der Zeit nach unten, wird so gemessen: sam2flow linescan {name})</translation>
    </message>
    <message>
        <source>{name}: this frame is cut off; copy or export it again</source>
        <translation>{name}: Dieses Bild ist abgeschnitten; kopieren oder exportieren Sie es noch einmal</translation>
    </message>
    <message>
        <source>{folder}: no permission to read this folder</source>
        <translation>{folder}: Dieser Ordner darf nicht gelesen werden</translation>
    </message>
    <message>
        <source>{count} {kind} files beside the {wanted} files are not read</source>
        <translation>{count} Dateien ({kind}) neben denen der Aufnahme ({wanted}) werden nicht gelesen</translation>
    </message>
    <message>
        <source>files of several frames</source>
        <translation>Dateien mit mehreren Bildern</translation>
    </message>
    <message>
        <source>{name}: axes of a folder of frames are TYX, not '{axes}'</source>
        <translation>{name}: Die Achsen eines Ordners von Bildern sind TYX, nicht '{axes}'</translation>
    </message>
    <message>
        <source>{name}: grey pictures with transparency; save them without it (Fiji: Image &gt; Type &gt; 8-bit)</source>
        <translation>{name}: Graubilder mit Transparenz; speichern Sie sie ohne (Fiji: Image &gt; Type &gt; 8-bit)</translation>
    </message>
    <message>
        <source>{name}: frame is {found}, the first one {first}; all must have one size and type</source>
        <translation>{name}: Das Bild hat {found}, das erste {first}; alle müssen dieselbe Größe und Art haben</translation>
    </message>
    <message>
        <source>single pictures</source>
        <translation>einzelne Bilder</translation>
    </message>
    <message>
        <source>{name}: frame {t} holds {bad} NaN or infinite pixels; replace them by numbers first</source>
        <translation>{name}: Bild {t} hat {bad} Pixel, die keine oder unendliche Zahlen sind; ersetzen Sie sie zuerst</translation>
    </message>
    <message>
        <source>{px} px above</source>
        <translation>oben {px} px</translation>
    </message>
    <message>
        <source>{px} px below</source>
        <translation>unten {px} px</translation>
    </message>
    <message>
        <source>{px} px left</source>
        <translation>links {px} px</translation>
    </message>
    <message>
        <source>{px} px right</source>
        <translation>rechts {px} px</translation>
    </message>
    <message>
        <source>{name}: every pixel looked at is {low:g}: there is no picture in this recording</source>
        <translation>{name}: Jedes Pixel, das angesehen wurde, ist {low:g}: Diese Aufnahme hat kein Bild</translation>
    </message>
    <message>
        <source>{name}: pixels from {low:g} to {high:g} cannot be counted with; multiply them so that they lie between 0 and 65535, and save the recording again</source>
        <translation>{name}: Mit Pixeln von {low:g} bis {high:g} lässt sich nicht rechnen; multiplizieren Sie sie so, dass sie zwischen 0 und 65535 liegen, und speichern Sie die Aufnahme neu</translation>
    </message>
    <message>
        <source>{name}: pixels of type {dtype}; save the recording as 8, 16 or 32 bit greyscale</source>
        <translation>{name}: Pixel der Art {dtype}; speichern Sie die Aufnahme in Graustufen mit 8, 16 oder 32 Bit</translation>
    </message>
    <message>
        <source>{name}: frames of {height} x {width} px are too small; at least {minimum_side_px} px a side are needed (are the axes right?)</source>
        <translation>{name}: Bilder von {height} x {width} px sind zu klein; mindestens {minimum_side_px} px je Seite sind nötig (stimmen die Achsen?)</translation>
    </message>
    <message>
        <source>{repeated} of {pairs} frame pairs looked at are identical (first: {first} and {second})</source>
        <translation>{repeated} von {pairs} angesehenen Bildpaaren sind gleich (zuerst: {first} und {second})</translation>
    </message>
    <message>
        <source>margins that show nothing are left out: {sides}</source>
        <translation>Ränder, die nichts zeigen, bleiben weg: {sides}</translation>
    </message>
    <message>
        <source>something covers rows {top} to {bottom}, columns {left} to {right}: it is left out (a time stamp, a scale bar, an overexposed spot)</source>
        <translation>Etwas verdeckt die Zeilen {top} bis {bottom}, Spalten {left} bis {right}: Es wird ausgelassen (eine Zeitangabe, ein Maßstab, ein überbelichteter Fleck)</translation>
    </message>
    <message>
        <source>{share:.1%} of the picture shows nothing, dark or overexposed, and is left out</source>
        <translation>{share:.1%} des Bildes zeigen nichts, dunkel oder überbelichtet, und werden ausgelassen</translation>
    </message>
    <message>
        <source>{one}, {other}</source>
        <translation>{one}, {other}</translation>
    </message>
    <message>
        <source>this file was called {old} when it was written; a file of that name beside it is not read</source>
        <translation>diese Datei hieß {old}, als sie geschrieben wurde; eine Datei dieses Namens daneben wird nicht gelesen</translation>
    </message>
    <message>
        <source>{name}: renamed since it was written: it belongs to {count} files, {some} and so on; give all of them their own names and put them into one folder</source>
        <translation>{name}: wurde nach dem Schreiben umbenannt: Sie gehört zu {count} Dateien, {some} und so weiter; geben Sie allen ihre eigenen Namen zurück und legen Sie sie in einen Ordner</translation>
    </message>
    <message>
        <source>is another recording (its UUID is not the one named)</source>
        <translation>ist eine andere Aufnahme (ihre UUID ist nicht die genannte)</translation>
    </message>
    <message>
        <source>is another recording (it does not name this file)</source>
        <translation>ist eine andere Aufnahme (sie nennt diese Datei nicht)</translation>
    </message>
    <message>
        <source>{n} beside it {reason}: its frames are left out</source>
        <translation>{n} daneben {reason}: die Bilder darin bleiben weg</translation>
    </message>
    <message>
        <source>cannot be read</source>
        <translation>lässt sich nicht lesen</translation>
    </message>
    <message>
        <source>{name}: part of a set that {described} describes; open {described}</source>
        <translation>{name}: Teil eines Satzes, den {described} beschreibt; öffnen Sie {described}</translation>
    </message>
    <message>
        <source>frames are in colour: they are shown in grey where colour is not asked for</source>
        <translation>die Bilder sind farbig: sie werden grau gezeigt, wo nicht nach Farbe gefragt ist</translation>
    </message>
    <message>
        <source>{name}: is grey, the first frame is in colour; all must be alike</source>
        <translation>{name}: ist grau, das erste Bild ist farbig; alle müssen gleich sein</translation>
    </message>
    <message>
        <source>cannot open a {name} as a recording; give a path or a (T, Y, X) array</source>
        <translation>{name} lässt sich nicht als Aufnahme öffnen; geben Sie einen Pfad oder ein Feld (T, Y, X) an</translation>
    </message>
    <message>
        <source>frame {t} has another size or type than the first one; all must be alike</source>
        <translation>Bild {t} hat eine andere Größe oder Art als das erste; alle müssen gleich sein</translation>
    </message>
    <message>
        <source>{name} says {what} {found} {given}: give it if it is right</source>
        <translation>{name} sagt: {what} {found} {given}; geben Sie das ein, wenn es stimmt</translation>
    </message>
    <message>
        <source>{path}: is no ordinary file; copy the recording into a file first</source>
        <translation>{path}: ist keine gewöhnliche Datei; kopieren Sie die Aufnahme zuerst in eine Datei</translation>
    </message>
    <message>
        <source>{claim}, more than any microscope makes; the file is damaged, export it again</source>
        <translation>{claim}, mehr als irgendein Mikroskop macht; die Datei ist beschädigt, exportieren Sie sie neu</translation>
    </message>
    <message>
        <source>{claim}, but holds only {stored} bytes of one; the file is damaged, export it again</source>
        <translation>{claim}, hat aber nur {stored} Bytes von einem; die Datei ist beschädigt, exportieren Sie sie neu</translation>
    </message>
    <message>
        <source>{name}: claims tiles of {count} pixels; the file is damaged, export it again</source>
        <translation>{name}: nennt Kacheln von {count} Pixeln; die Datei ist beschädigt, exportieren Sie sie neu</translation>
    </message>
    <message>
        <source>{name}: its OME metadata claim {planes:.3g} planes; the file is damaged, export it again</source>
        <translation>{name}: Ihre OME-Angaben nennen {planes:.3g} Ebenen; die Datei ist beschädigt, exportieren Sie sie neu</translation>
    </message>
    <message>
        <source>{name}: {what}: {fault}</source>
        <translation>{name}: {what}: {fault}</translation>
    </message>
    <message>
        <source>{name}: its OME metadata name a file in another folder ({other}); export it again</source>
        <translation>{name}: Ihre OME-Angaben nennen eine Datei in einem anderen Ordner ({other}); exportieren Sie sie neu</translation>
    </message>
    <message>
        <source>the pixel size is not known; the pattern of what moves is that of cells {measured:.2g} px wide</source>
        <translation>die Pixelgröße ist nicht bekannt; das Muster dessen, was sich bewegt, ist das von {measured:.2g} px breiten Zellen</translation>
    </message>
    <message>
        <source>working resolution {factor:g}: give auto, {smallest:g}, or a whole number from 1 to {largest}</source>
        <translation>Maßstab {factor:g}: Geben Sie auto, {smallest:g} oder eine ganze Zahl von 1 bis {largest} an</translation>
    </message>
    <message>
        <source>a red cell of {red_cell_um:g} um is {cell:.3g} px wide at {um:.4g} um/px</source>
        <translation>eine rote Zelle von {red_cell_um:g} um ist bei {um:.4g} um/px {cell:.3g} px breit</translation>
    </message>
    <message>
        <source>{name}: a single frame; velocity needs a recording of two frames or more{hint}</source>
        <translation>{name}: ein einzelnes Bild; Geschwindigkeit braucht eine Aufnahme von zwei Bildern oder mehr{hint}</translation>
    </message>
    <message>
        <source>{name}: axes '{axes}' name {count} axes, but the recording has {count_2}: {shape}</source>
        <translation>{name}: Die Achsen '{axes}' nennen {count}, die Aufnahme hat aber {count_2}: {shape}</translation>
    </message>
    <message>
        <source>{name}: {parts}: a recording has one picture per time point; save one plane or channel</source>
        <translation>{name}: {parts}: Eine Aufnahme hat ein Bild je Zeitpunkt; speichern Sie eine Ebene oder einen Kanal</translation>
    </message>
    <message>
        <source>{name}: axis '{axis}' in '{axes}' is unknown; use T, Z, C, Y and X, such as TYX</source>
        <translation>{name}: Die Achse '{axis}' in '{axes}' ist unbekannt; nehmen Sie T, Z, C, Y und X, etwa TYX</translation>
    </message>
    <message>
        <source>{name}: axes '{axes}' must name Y and X, and each axis once, such as TYX</source>
        <translation>{name}: Die Achsen '{axes}' müssen Y und X nennen und jede Achse einmal, etwa TYX</translation>
    </message>
    <message>
        <source>{name}: {count} axis of {shape}, no pictures; expected (T, Y, X)</source>
        <translation>{name}: {count} Achse von {shape}, keine Bilder; erwartet wird (T, Y, X)</translation>
    </message>
    <message>
        <source>{name}: axes {axes} ({shape}) hold no pictures; expected (T, Y, X)</source>
        <translation>{name}: Die Achsen {axes} ({shape}) haben keine Bilder; erwartet wird (T, Y, X)</translation>
    </message>
    <message>
        <source>{name}: colour (RGB) frames; convert to greyscale first (Fiji: Image &gt; Type &gt; 8-bit)</source>
        <translation>{name}: Farbbilder (RGB); wandeln Sie zuerst in Graustufen um (Fiji: Image &gt; Type &gt; 8-bit)</translation>
    </message>
    <message>
        <source>{name}: {length} channels and one time point; a recording needs frames over time</source>
        <translation>{name}: {length} Kanäle und ein Zeitpunkt; eine Aufnahme braucht Bilder über die Zeit</translation>
    </message>
    <message>
        <source>{name}: {length} {called} ({letter}) and one time point; a recording needs frames over time (if these are its frames, say so: axes TYX)</source>
        <translation>{name}: {length} {called} ({letter}) und ein Zeitpunkt; eine Aufnahme braucht Bilder über die Zeit (sind es ihre Bilder, sagen Sie es: Achsen TYX)</translation>
    </message>
    <message>
        <source>{name}: empty recording ({shape})</source>
        <translation>{name}: leere Aufnahme ({shape})</translation>
    </message>
    <message>
        <source>{length} {called} ({letter}) and one time point: {called} are read as frames</source>
        <translation>{length} {called} ({letter}) und ein Zeitpunkt: {called} werden als Bilder der Zeit nach gelesen</translation>
    </message>
    <message>
        <source>{name}: frames are {part}, in {name_2} {first}; these are not parts of one recording</source>
        <translation>{name}: Die Bilder haben {part}, in {name_2} {first}; das sind keine Teile einer Aufnahme</translation>
    </message>
    <message>
        <source>a frame of {shape} px among frames of {shape_2} px; all must have one size</source>
        <translation>ein Bild von {shape} px unter Bildern von {shape_2} px; alle müssen gleich groß sein</translation>
    </message>
    <message>
        <source>pixels are not square ({x:.4g} x {y:.4g} um): resample the recording, or give one pixel size</source>
        <translation>die Pixel sind nicht quadratisch ({x:.4g} x {y:.4g} um): rechnen Sie die Aufnahme um, oder geben Sie eine Pixelgröße ein</translation>
    </message>
    <message>
        <source>pixel size in '{unit}' ({where}) is not used, the unit is not known: give it in um per pixel</source>
        <translation>eine Pixelgröße in '{unit}' ({where}) wird nicht verwendet, die Einheit ist unbekannt: geben Sie sie in um je Pixel ein</translation>
    </message>
    <message>
        <source>frames are compressed by JPEG, which has changed what they show: measure from the original recording</source>
        <translation>die Bilder sind mit JPEG komprimiert, was verändert hat, was sie zeigen: messen Sie an der ursprünglichen Aufnahme</translation>
    </message>
    <message>
        <source>{name}: its metadata takes the frames from {name_2}, not from here: give it back the name it was written under, or move it into a folder of its own</source>
        <translation>{name}: Ihre Angaben holen die Bilder aus {name_2}, nicht von hier: Geben Sie ihr den Namen zurück, unter dem sie geschrieben wurde, oder legen Sie sie in einen eigenen Ordner</translation>
    </message>
    <message>
        <source>ImageJ tags disagree: finterval says {rate:g} Hz and is used, fps (speed of playing) {fps:g} Hz</source>
        <translation>die Angaben von ImageJ widersprechen sich: finterval sagt {rate:g} Hz und gilt, fps (Geschwindigkeit des Abspielens) {fps:g} Hz</translation>
    </message>
    <message>
        <source>time in '{unit}' ({where}) is not used, the unit is not known: give the frame rate in Hz</source>
        <translation>eine Zeit in '{unit}' ({where}) wird nicht verwendet, die Einheit ist unbekannt: geben Sie die Bildrate in Hz ein</translation>
    </message>
    <message>
        <source>{name}: time must come before Y and X in a TIFF file, not as in '{letters}'</source>
        <translation>{name}: In einer TIFF-Datei muss die Zeit vor Y und X kommen, nicht wie in '{letters}'</translation>
    </message>
    <message>
        <source>{name}: truncated TIFF file, fewer than two frames are whole; copy it again</source>
        <translation>{name}: abgeschnittene TIFF-Datei, keine zwei Bilder sind ganz; kopieren Sie sie neu</translation>
    </message>
    <message>
        <source>{name}: frame {t} is in a file that is missing{files}; put it back beside this one</source>
        <translation>{name}: Bild {t} liegt in einer Datei, die fehlt{files}; legen Sie sie wieder neben diese</translation>
    </message>
    <message>
        <source>{name}: not a TIFF file; export the recording as TIFF (Fiji: File &gt; Save As)</source>
        <translation>{name}: keine TIFF-Datei; exportieren Sie die Aufnahme als TIFF (Fiji: File &gt; Save As)</translation>
    </message>
    <message>
        <source>ImageJ plays this at fps={fps:g}: an animation speed, not used as the frame rate of recording</source>
        <translation>ImageJ spielt dies mit fps={fps:g} ab: das ist die Geschwindigkeit des Abspielens und gilt nicht als Bildrate der Aufnahme</translation>
    </message>
    <message>
        <source>{name}: the file is empty</source>
        <translation>{name}: Die Datei ist leer</translation>
    </message>
    <message>
        <source>the first {first} of {count} frames lie in files that are missing: frame 0 here is frame {first} there</source>
        <translation>die ersten {first} von {count} Bildern liegen in Dateien, die fehlen: Bild 0 hier ist Bild {first} dort</translation>
    </message>
    <message>
        <source>{name}: frame {t} is stored otherwise than frame 0 (compression, tiles, colours); save it again as one stack</source>
        <translation>{name}: Bild {t} ist anders gespeichert als Bild 0 (Kompression, Kacheln, Farben); speichern Sie alles noch einmal als einen Stapel</translation>
    </message>
    <message>
        <source>{by} pictures on axes without names: read as frames one after the other; save one if they are channels</source>
        <translation>{by} Bilder auf Achsen ohne Namen: der Reihe nach als Bilder gelesen; speichern Sie eines, wenn es Kanäle sind</translation>
    </message>
    <message>
        <source>{name}: damaged TIFF file, its list of pictures leads back to itself; export it again</source>
        <translation>{name}: beschädigte TIFF-Datei, ihre Bilderliste führt auf sich selbst zurück; exportieren Sie sie neu</translation>
    </message>
    <message>
        <source>{name}: no pictures in this TIFF file</source>
        <translation>{name}: keine Bilder in dieser TIFF-Datei</translation>
    </message>
    <message>
        <source>{name}: its {depth} pictures are stored as one volume (ImageDepth {depth}), which is not read; save it as a plain TIFF of one page per frame (Fiji: File &gt; Save As &gt; Tiff)</source>
        <translation>{name}: Ihre {depth} Bilder sind als ein Volumen gespeichert (ImageDepth {depth}), das nicht gelesen wird; speichern Sie sie als einfaches TIFF mit einer Seite je Bild (Fiji: File &gt; Save As &gt; Tiff)</translation>
    </message>
    <message>
        <source>{name}: unusual layout {axes} {shape}; save it again as a plain TIFF with Fiji</source>
        <translation>{name}: ungewöhnlicher Aufbau {axes} {shape}; speichern Sie sie mit Fiji neu als einfaches TIFF</translation>
    </message>
    <message>
        <source>{name}: frames of different sizes or types: frame 0 is {first}, frame {t} is {own}</source>
        <translation>{name}: Bilder verschiedener Größe oder Art: Bild 0 hat {first}, Bild {t} hat {own}</translation>
    </message>
    <message>
        <source>{name}: truncated or damaged TIFF file; copy or export it again</source>
        <translation>{name}: abgeschnittene oder beschädigte TIFF-Datei; kopieren oder exportieren Sie sie neu</translation>
    </message>
    <message>
        <source>{name}: truncated TIFF file, fewer than two frames are whole; copy or export it again</source>
        <translation>{name}: abgeschnittene TIFF-Datei, keine zwei Bilder sind ganz; kopieren oder exportieren Sie sie neu</translation>
    </message>
    <message>
        <source>{count} more image series in the file are not read</source>
        <translation>{count} weitere Bildserien in der Datei werden nicht gelesen</translation>
    </message>
    <message>
        <source>metadata list {listed} of {count} pictures in the file: the others are not read</source>
        <translation>die Metadaten nennen {listed} von {count} Bildern der Datei: die anderen werden nicht gelesen</translation>
    </message>
    <message>
        <source>file is truncated: {readable} frames are readable; copy or export it again to get the rest</source>
        <translation>Die Datei ist abgeschnitten: {readable} Bilder sind lesbar; kopieren oder exportieren Sie sie noch einmal, um den Rest zu bekommen</translation>
    </message>
    <message>
        <source>file is truncated: {readable} of {declared} frames are readable; copy or export it again to get the rest</source>
        <translation>Die Datei ist abgeschnitten: {readable} von {declared} Bildern sind lesbar; kopieren oder exportieren Sie sie noch einmal, um den Rest zu bekommen</translation>
    </message>
    <message>
        <source>frame interval is declared as {declared:.6g} s, the frames' own times say {measured:.6g} s</source>
        <translation>als Abstand der Bilder sind {declared:.6g} s angegeben, ihre eigenen Zeiten sagen {measured:.6g} s</translation>
    </message>
    <message>
        <source>frame times jump {late} times, first after frame {first}: frames were dropped there</source>
        <translation>die Zeiten der Bilder springen {late}-mal, zuerst nach Bild {first}: dort gingen Bilder verloren</translation>
    </message>
    <message>
        <source>frame times run backwards {count} times, first after frame {first}: check their order</source>
        <translation>die Zeiten der Bilder laufen {count}-mal rückwärts, zuerst nach Bild {first}: prüfen Sie ihre Reihenfolge</translation>
    </message>
    <message>
        <source>{repeated} of {count} frames repeat the one before: such pairs are left out, and velocities hold if the frame rate is that of the pictures that differ</source>
        <translation>{repeated} von {count} Bildern wiederholen das vorige: Solche Paare werden weggelassen, und die Geschwindigkeiten gelten, wenn die Bildrate die der verschiedenen Bilder ist</translation>
    </message>
    <message>
        <source>frames are missing in 1 place, about {missing} in all: pairs across a gap are left out</source>
        <translation>an 1 Stelle fehlen Bilder, zusammen etwa {missing}: Paare über die Lücke werden weggelassen</translation>
    </message>
    <message>
        <source>frames are missing in {gaps} places, about {missing} in all: pairs across a gap are left out</source>
        <translation>an {gaps} Stellen fehlen Bilder, zusammen etwa {missing}: Paare über eine Lücke werden weggelassen</translation>
    </message>
    <message>
        <source>variable frame rate: frames follow each other by {least:.3g} to {most:.3g} ms; export the recording with a constant one</source>
        <translation>wechselnde Bildrate: die Bilder folgen sich nach {least:.3g} bis {most:.3g} ms; exportieren Sie die Aufnahme mit einer festen</translation>
    </message>
    <message>
        <source>{name}: no pictures in this video file, or of a kind that cannot be decoded</source>
        <translation>{name}: keine Bilder in dieser Videodatei, oder von einer Art, die sich nicht lesen lässt</translation>
    </message>
    <message>
        <source>{name}: no frames in this video; it is empty or damaged</source>
        <translation>{name}: keine Bilder in diesem Video; es ist leer oder beschädigt</translation>
    </message>
    <message>
        <source>{name}: axes of a video are TYX, not '{axes}'</source>
        <translation>{name}: Die Achsen eines Videos sind TYX, nicht '{axes}'</translation>
    </message>
    <message>
        <source>{name}: no frame of this video can be decoded; copy or export it again</source>
        <translation>{name}: Kein Bild dieses Videos lässt sich lesen; kopieren oder exportieren Sie es neu</translation>
    </message>
    <message>
        <source>{name}: frame {t} cannot be decoded; the file may be damaged or truncated</source>
        <translation>{name}: Bild {t} lässt sich nicht lesen; die Datei ist vielleicht beschädigt oder abgeschnitten</translation>
    </message>
    <message>
        <source>{name}: frame {at} is damaged; copy or export the video again</source>
        <translation>{name}: Bild {at} ist beschädigt; kopieren oder exportieren Sie das Video neu</translation>
    </message>
    <message>
        <source>{name}: frame {at} is {found} px, the first one {first}</source>
        <translation>{name}: Bild {at} hat {found} px, das erste {first}</translation>
    </message>
    <message>
        <source>{name}: damaged, cut off, or no video of a kind that is known; export it again (AVI or MP4)</source>
        <translation>{name}: beschädigt, abgeschnitten oder kein Video bekannter Art; exportieren Sie es neu (AVI oder MP4)</translation>
    </message>
    <message>
        <source>compressed by {codec}, which changes what frames show: measure from the original recording</source>
        <translation>komprimiert mit {codec}, was die Bilder verändert: messen Sie an der ursprünglichen Aufnahme</translation>
    </message>
    <message>
        <source>colour camera: frames are converted to grey</source>
        <translation>Farbkamera: die Bilder werden in Grau umgerechnet</translation>
    </message>
    <message>
        <source>interlaced video: odd and even rows are of different moments; record progressive pictures</source>
        <translation>Video im Zeilensprung: ungerade und gerade Zeilen stammen von verschiedenen Zeitpunkten; nehmen Sie Vollbilder auf</translation>
    </message>
    <message>
        <source>pixels are not square ({ratio:.4g} times as wide as high): resample the recording</source>
        <translation>die Pixel sind nicht quadratisch ({ratio:.4g}-mal so breit wie hoch): rechnen Sie die Aufnahme um</translation>
    </message>
    <message>
        <source>{count} more video streams in the file are not read</source>
        <translation>{count} weitere Videospuren in der Datei werden nicht gelesen</translation>
    </message>
    <message>
        <source>the first {skipped} frames cannot be decoded and are left out</source>
        <translation>die ersten {skipped} Bilder lassen sich nicht entschlüsseln und bleiben weg</translation>
    </message>
    <message>
        <source>file is truncated: {count} of {declared} frames are readable; copy or export it again</source>
        <translation>die Datei ist abgeschnitten: {count} von {declared} Bildern sind lesbar; kopieren oder exportieren Sie sie noch einmal</translation>
    </message>
    <message>
        <source>{value:.3g} ({low:.3g} to {high:.3g})</source>
        <translation>{value:.3g} ({low:.3g} bis {high:.3g})</translation>
    </message>
    <message>
        <source>px per 1000 px2 (no pixel size)</source>
        <translation>px pro 1000 px2 (keine Pixelgröße)</translation>
    </message>
    <message>
        <source>; of vessels up to 20 um: {small}</source>
        <translation>; der Gefäße bis 20 um: {small}</translation>
    </message>
    <message>
        <source>perfused vessel density: {all} {unit}{small}</source>
        <translation>Dichte durchströmter Gefäße: {all} {unit}{small}</translation>
    </message>
    <message>
        <source>heterogeneity between the quarters of the field: {value:.2f}</source>
        <translation>Ungleichheit zwischen den Vierteln des Bildfelds: {value:.2f}</translation>
    </message>
    <message>
        <source>total vessel density and the proportion of perfused vessels are not given: a vessel in which nothing moves is not seen</source>
        <translation>Die Dichte aller Gefäße und der Anteil der durchströmten werden nicht angegeben: Ein Gefäß, in dem sich nichts bewegt, wird nicht gesehen</translation>
    </message>
    <message>
        <source>of {length:.0f} {unit} along the arrow</source>
        <translation>von {length:.0f} {unit} entlang des Pfeils</translation>
    </message>
    <message>
        <source>blood runs against itself</source>
        <translation>strömt Blut gegen sich selbst</translation>
    </message>
    <message>
        <source>the speed steps</source>
        <translation>springt die Geschwindigkeit</translation>
    </message>
    <message>
        <source>at {place:.0f} {whole} {what}: {before:.3g} before, {after:.3g} {fast} after; two vessels, or a fork, under one name?</source>
        <translation>bei {place:.0f} {whole} {what}: {before:.3g} davor, {after:.3g} {fast} danach; zwei Gefäße oder eine Gabel unter einem Namen?</translation>
    </message>
    <message>
        <source>from {first:.0f} to {last:.0f} {whole} no blood is seen: does the line leave the vessel?</source>
        <translation>von {first:.0f} bis {last:.0f} {whole} ist kein Blut zu sehen: Verlässt die Linie das Gefäß?</translation>
    </message>
    <message>
        <source>nothing along the line moves that the tissue beside it does not show as well: is there a vessel?</source>
        <translation>entlang der Linie bewegt sich nichts, was das Gewebe daneben nicht auch zeigt: Ist da ein Gefäß?</translation>
    </message>
    <message>
        <source>only {share:.0%} of the frames have a velocity</source>
        <translation>nur {share:.0%} der Bilder haben eine Geschwindigkeit</translation>
    </message>
    <message>
        <source>{share:.0%} of the frames are repeated or missing</source>
        <translation>{share:.0%} der Bilder sind wiederholt oder fehlen</translation>
    </message>
    <message>
        <source>on {share:.0%} of its length blood runs the other way: two vessels in one mask?</source>
        <translation>auf {share:.0%} der Länge strömt Blut in Gegenrichtung: zwei Gefäße in einer Maske?</translation>
    </message>
    <message>
        <source>beside the middle of the lumen blood runs faster than in it: a second vessel in the mask?</source>
        <translation>neben der Mitte des Lumens strömt Blut schneller als in ihr: ein zweites Gefäß in der Maske?</translation>
    </message>
    <message>
        <source>taken {change:+.0%} to the space-time diagram, whose two readings agree</source>
        <translation>um {change:+.0%} an das Raum-Zeit-Diagramm angeglichen, dessen zwei Lesungen übereinstimmen</translation>
    </message>
    <message>
        <source>the mask is expected to be right by {share:.0%} only: look at it</source>
        <translation>die Maske dürfte nur zu {share:.0%} stimmen: Sehen Sie sie an</translation>
    </message>
    <message>
        <source>the readings of the space-time diagram differ, or one cannot be read</source>
        <translation>die Lesungen des Raum-Zeit-Diagramms weichen voneinander ab, oder eine ist nicht lesbar</translation>
    </message>
    <message>
        <source>flow and space-time diagram agree within {apart:.0%}</source>
        <translation>Strömung und Raum-Zeit-Diagramm stimmen auf {apart:.0%} überein</translation>
    </message>
    <message>
        <source>{share:.0%} of the frames have a velocity</source>
        <translation>{share:.0%} der Bilder haben eine Geschwindigkeit</translation>
    </message>
    <message>
        <source>no readable space-time diagram confirms the flow</source>
        <translation>kein lesbares Raum-Zeit-Diagramm bestätigt die Strömung</translation>
    </message>
    <message>
        <source>the pattern changes on its way: cells are hard to follow</source>
        <translation>das Muster ändert sich unterwegs: Zellen sind schwer zu verfolgen</translation>
    </message>
    <message>
        <source>the model expects errors of {scale:.0%} of the speed</source>
        <translation>das Modell erwartet Fehler von {scale:.0%} der Geschwindigkeit</translation>
    </message>
    <message>
        <source>flow and space-time diagram differ by {nearest:.0%}</source>
        <translation>Strömung und Raum-Zeit-Diagramm weichen um {nearest:.0%} ab</translation>
    </message>
    <message>
        <source>there is no velocity to judge</source>
        <translation>es gibt keine Geschwindigkeit zu beurteilen</translation>
    </message>
    <message>
        <source>flow and space-time diagram differ by {apart:.0%}, in both ways of reading it</source>
        <translation>Strömung und Raum-Zeit-Diagramm weichen um {apart:.0%} ab, in beiden Lesungen</translation>
    </message>
    <message>
        <source>fewer than two of the three readings of the space-time diagram agree with the flow</source>
        <translation>weniger als zwei der drei Lesungen des Raum-Zeit-Diagramms stimmen mit der Strömung überein</translation>
    </message>
    <message>
        <source>two readings of the streaks agree within {apart:.0%}</source>
        <translation>zwei Lesungen der Streifen stimmen auf {apart:.0%} überein</translation>
    </message>
    <message>
        <source>the line is {length:.0f} px long; draw at least {least:.0f} px along a vessel</source>
        <translation>die Linie ist {length:.0f} px lang; zeichnen Sie mindestens {least:.0f} px entlang eines Gefäßes</translation>
    </message>
    <message>
        <source>for {share:.0%} of the time no streaks are seen: blood stood still, or no cells passed; not part of the mean</source>
        <translation>{share:.0%} der Zeit sind keine Streifen zu sehen: Das Blut stand still, oder keine Zellen kamen vorbei; nicht im Mittelwert</translation>
    </message>
    <message>
        <source>the line turns back upon itself; draw it along a vessel in one direction</source>
        <translation>die Linie kehrt auf sich selbst zurück; zeichnen Sie sie in einer Richtung entlang eines Gefäßes</translation>
    </message>
    <message>
        <source>no streaks stand out from the noise: nothing moves along this line, or too fast to be seen</source>
        <translation>keine Streifen heben sich vom Rauschen ab: Entlang dieser Linie bewegt sich nichts, oder zu schnell, um es zu sehen</translation>
    </message>
    <message>
        <source>no second reading of the streaks confirms the first</source>
        <translation>keine zweite Lesung der Streifen bestätigt die erste</translation>
    </message>
    <message>
        <source>only {share:.0%} of the windows agree</source>
        <translation>nur {share:.0%} der Fenster stimmen überein</translation>
    </message>
    <message>
        <source>only comparing rows can be read, and on a line this short that reads low</source>
        <translation>nur der Vergleich von Zeilen ist lesbar, und auf einer so kurzen Linie fällt er zu niedrig aus</translation>
    </message>
    <message>
        <source>{share:.0%} of the windows agree</source>
        <translation>{share:.0%} der Fenster stimmen überein</translation>
    </message>
    <message>
        <source>two readings of the streaks differ by {apart:.0%}</source>
        <translation>zwei Lesungen der Streifen weichen um {apart:.0%} ab</translation>
    </message>
    <message>
        <source>{before} and {last}</source>
        <translation>{before} und {last}</translation>
    </message>
    <message>
        <source>measured in segments: {labels}</source>
        <translation>in Abschnitten gemessen: {labels}</translation>
    </message>
    <message>
        <source>good</source>
        <translation>gut</translation>
    </message>
    <message>
        <source>fair</source>
        <translation>mittel</translation>
    </message>
    <message>
        <source>poor</source>
        <translation>schlecht</translation>
    </message>
    <message>
        <source>unusable</source>
        <translation>unbrauchbar</translation>
    </message>
    <message>
        <source>direction doubtful</source>
        <translation>Richtung fraglich</translation>
    </message>
    <message>
        <source>hardly moves</source>
        <translation>kaum bewegt</translation>
    </message>
    <message>
        <source>faint</source>
        <translation>schwach</translation>
    </message>
    <message>
        <source>unsharp</source>
        <translation>unscharf</translation>
    </message>
    <message>
        <source>tissue jumps</source>
        <translation>Gewebe springt</translation>
    </message>
    <message>
        <source>overexposed</source>
        <translation>überbelichtet</translation>
    </message>
    <message>
        <source>lost frames</source>
        <translation>Bilder fehlen</translation>
    </message>
    <message>
        <source>too short</source>
        <translation>zu kurz</translation>
    </message>
    <message>
        <source>vessel lost</source>
        <translation>Gefäß verloren</translation>
    </message>
    <message>
        <source>branch</source>
        <translation>Gabel</translation>
    </message>
    <message>
        <source>marked twice</source>
        <translation>doppelt markiert</translation>
    </message>
    <message>
        <source>two speeds</source>
        <translation>zwei Tempi</translation>
    </message>
    <message>
        <source>gap in line</source>
        <translation>Lücke in der Linie</translation>
    </message>
    <message>
        <source>width unsure</source>
        <translation>Breite unsicher</translation>
    </message>
    <message>
        <source>cut off</source>
        <translation>abgeschnitten</translation>
    </message>
    <message>
        <source>methods differ</source>
        <translation>Methoden uneins</translation>
    </message>
    <message>
        <source>not finished</source>
        <translation>nicht fertig</translation>
    </message>
    <message>
        <source>fork unbalanced</source>
        <translation>Gabel unausgeglichen</translation>
    </message>
    <message>
        <source>no scale</source>
        <translation>ohne Maßstab</translation>
    </message>
    <message>
        <source>cells move more than half the distance at which they repeat, so that the direction may be mistaken</source>
        <translation>Zellen bewegen sich weiter als die halbe Strecke, nach der sie sich wiederholen, sodass die Richtung verwechselt sein kann</translation>
    </message>
    <message>
        <source>cells move less per frame than can be told from standing still</source>
        <translation>Zellen bewegen sich pro Bild weniger, als sich vom Stillstand unterscheiden lässt</translation>
    </message>
    <message>
        <source>cells stand out little from the noise</source>
        <translation>Zellen heben sich wenig vom Rauschen ab</translation>
    </message>
    <message>
        <source>part of the recording is less sharp than the rest</source>
        <translation>ein Teil der Aufnahme ist weniger scharf als der Rest</translation>
    </message>
    <message>
        <source>the tissue jumps between frames</source>
        <translation>das Gewebe springt zwischen Bildern</translation>
    </message>
    <message>
        <source>part of the vessel is over- or underexposed</source>
        <translation>ein Teil des Gefäßes ist über- oder unterbelichtet</translation>
    </message>
    <message>
        <source>frames are repeated or missing</source>
        <translation>Bilder sind wiederholt oder fehlen</translation>
    </message>
    <message>
        <source>the vessel or the recording is too short</source>
        <translation>das Gefäß oder die Aufnahme ist zu kurz</translation>
    </message>
    <message>
        <source>the vessel is not seen in part of the recording, or nowhere</source>
        <translation>das Gefäß ist in einem Teil der Aufnahme oder nirgends zu sehen</translation>
    </message>
    <message>
        <source>the vessel branches or lies over another one</source>
        <translation>das Gefäß verzweigt sich oder liegt über einem anderen</translation>
    </message>
    <message>
        <source>most of its mask belongs to another marked vessel as well: one vessel under two numbers</source>
        <translation>die Maske gehört größtenteils auch zu einem anderen markierten Gefäß: ein Gefäß unter zwei Nummern</translation>
    </message>
    <message>
        <source>speed or direction changes abruptly along the length: two vessels, or a fork, under one name</source>
        <translation>Tempo oder Richtung wechselt plötzlich entlang der Länge: zwei Gefäße, oder eine Gabel, unter einem Namen</translation>
    </message>
    <message>
        <source>no blood is seen along part of the line: the clicks may lie on different vessels</source>
        <translation>entlang eines Teils der Linie ist kein Blut zu sehen: die Klicks liegen vielleicht auf verschiedenen Gefäßen</translation>
    </message>
    <message>
        <source>the width is not sure: mask and pictures differ, or the walls do not stand out</source>
        <translation>die Breite ist nicht sicher: Maske und Bilder sind uneins, oder die Wände heben sich nicht ab</translation>
    </message>
    <message>
        <source>the image border cuts along the vessel</source>
        <translation>der Bildrand schneidet das Gefäß der Länge nach</translation>
    </message>
    <message>
        <source>flow and space-time diagram disagree</source>
        <translation>Strömung und Raum-Zeit-Diagramm sind uneins</translation>
    </message>
    <message>
        <source>the run is not finished: these are the frames so far</source>
        <translation>die Messung ist nicht fertig: das sind die Bilder bisher</translation>
    </message>
    <message>
        <source>more flows into a fork than out, or less: a width or velocity is wrong, or a vessel not marked</source>
        <translation>in eine Gabel fließt mehr als heraus, oder weniger: Breite oder Geschwindigkeit stimmt nicht, oder ein Gefäß ist nicht markiert</translation>
    </message>
    <message>
        <source>pixel size or frame rate is unknown, so that there is no um/s</source>
        <translation>Pixelgröße oder Bildrate ist unbekannt, sodass es kein um/s gibt</translation>
    </message>
    <message>
        <source>Tables (CSV)</source>
        <translation>Tabellen (CSV)</translation>
    </message>
    <message>
        <source>Workbook (Excel)</source>
        <translation>Arbeitsmappe (Excel)</translation>
    </message>
    <message>
        <source>Figures</source>
        <translation>Abbildungen</translation>
    </message>
    <message>
        <source>Masks</source>
        <translation>Masken</translation>
    </message>
    <message>
        <source>Space-time images</source>
        <translation>Raum-Zeit-Bilder</translation>
    </message>
    <message>
        <source>Film</source>
        <translation>Film</translation>
    </message>
</context>
</TS>
