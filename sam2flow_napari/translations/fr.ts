<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="fr" sourcelanguage="en">
<context>
    <name>SAM2Flow</name>
    <message>
        <source>drawn line</source>
        <translation>ligne tracée</translation>
    </message>
    <message>
        <source>Drawn line: {words}. Tables and report are in {out}</source>
        <translation>Ligne tracée : {words}. Tableaux et rapport sont dans {out}</translation>
    </message>
    <message>
        <source>{name}: a film in shades of grey is wanted; this one is in colour</source>
        <translation>{name} : il faut un film en niveaux de gris ; celui-ci est en couleurs</translation>
    </message>
    <message>
        <source>{name}: a film in shades of grey is wanted, with axes (t, y, x); this has {axes}</source>
        <translation>{name} : il faut un film en niveaux de gris, avec les axes (t, y, x) ; celui-ci en a {axes}</translation>
    </message>
    <message>
        <source>{recording}: the recording of this project has moved; put it back, or beside {name}</source>
        <translation>{recording} : l'enregistrement de ce projet a été déplacé ; remettez-le, ou à côté de {name}</translation>
    </message>
    <message>
        <source>proposals</source>
        <translation>propositions</translation>
    </message>
    <message>
        <source>no vessel was found in this recording; click them by hand</source>
        <translation>aucun vaisseau n'a été trouvé dans cet enregistrement ; cliquez-les à la main</translation>
    </message>
    <message>
        <source>no recording is open: open one first</source>
        <translation>aucun enregistrement n'est ouvert : ouvrez-en un d'abord</translation>
    </message>
    <message>
        <source>Cancelled: no vessels were proposed.</source>
        <translation>Annulé : aucun vaisseau n'est proposé.</translation>
    </message>
    <message>
        <source>every vessel that was found is marked already</source>
        <translation>tous les vaisseaux trouvés sont déjà marqués</translation>
    </message>
    <message>
        <source>brush</source>
        <translation>pinceau</translation>
    </message>
    <message>
        <source>Nothing is painted: paint the vessel with the brush, or press Escape to give up.</source>
        <translation>Rien n'est peint : peignez le vaisseau au pinceau, ou abandonnez avec Échap.</translation>
    </message>
    <message>
        <source>middle line</source>
        <translation>ligne médiane</translation>
    </message>
    <message>
        <source>There is no mask whose middle could be bent: click on the vessel first, and wait for its mask.</source>
        <translation>Il n'y a pas de masque dont la ligne puisse être pliée : cliquez d'abord sur le vaisseau et attendez son masque.</translation>
    </message>
    <message>
        <source>That lies outside the image: the vessel stays where it was.</source>
        <translation>C'est hors de l'image : le vaisseau reste où il était.</translation>
    </message>
    <message>
        <source>vessels</source>
        <translation>vaisseaux</translation>
    </message>
    <message>
        <source>speed</source>
        <translation>vitesse</translation>
    </message>
    <message>
        <source>flow arrows</source>
        <translation>flèches du flux</translation>
    </message>
    <message>
        <source>centrelines</source>
        <translation>lignes médianes</translation>
    </message>
    <message>
        <source>flow directions</source>
        <translation>directions du flux</translation>
    </message>
    <message>
        <source>tracers</source>
        <translation>traceurs</translation>
    </message>
    <message>
        <source>vessel numbers</source>
        <translation>numéros des vaisseaux</translation>
    </message>
    <message>
        <source>prompts</source>
        <translation>marques</translation>
    </message>
    <message>
        <source>boxes</source>
        <translation>cadres</translation>
    </message>
    <message>
        <source>That click is outside the image and was left out: click on a vessel.</source>
        <translation>Ce clic est hors de l'image et ne compte pas : cliquez sur un vaisseau.</translation>
    </message>
    <message>
        <source>That box is too small or outside the image: drag a rectangle about the vessel.</source>
        <translation>Ce cadre est trop petit ou hors de l'image : tracez un rectangle autour du vaisseau.</translation>
    </message>
    <message>
        <source>No vessel was found there. Click nearer to the middle of one, or paint it (M).</source>
        <translation>Aucun vaisseau trouvé ici. Cliquez plus près du milieu, ou peignez-le (M).</translation>
    </message>
    <message>
        <source>The mask lies beside a click: no vessel was found under it. Undo it, or paint the vessel (M).</source>
        <translation>Le masque est à côté d'un clic : aucun vaisseau n'y a été trouvé. Annulez-le, ou peignez le vaisseau (M).</translation>
    </message>
    <message>
        <source>The mask still holds a place that you have excluded. Click there again, or paint the vessel (M).</source>
        <translation>Le masque contient encore un endroit que vous avez exclu. Cliquez-y encore, ou peignez le vaisseau (M).</translation>
    </message>
    <message>
        <source>There may be no vessel here. Click again on its middle, or paint it (M).</source>
        <translation>Il n'y a peut-être pas de vaisseau ici. Cliquez encore au milieu, ou peignez-le (M).</translation>
    </message>
    <message>
        <source>These clicks mean one mask only. Click again to mend it.</source>
        <translation>Ces clics ne désignent qu'un masque. Cliquez encore pour le corriger.</translation>
    </message>
    <message>
        <source>looking…</source>
        <translation>cherche…</translation>
    </message>
    <message>
        <source>none</source>
        <translation>aucun</translation>
    </message>
    <message>
        <source>check</source>
        <translation>à voir</translation>
    </message>
    <message>
        <source>found</source>
        <translation>trouvé</translation>
    </message>
    <message>
        <source>Mask {number} of {masks} that the click may mean. Q: the next; Ctrl+Z: back.</source>
        <translation>Masque {number} sur {masks} que le clic peut désigner. Q : le suivant ; Ctrl+Z : retour.</translation>
    </message>
    <message>
        <source>This is {name}, which is marked already. Undo it (Ctrl+Z), or select {name} to mend it.</source>
        <translation>C'est {name}, déjà marqué. Annulez (Ctrl+Z), ou choisissez {name} pour le corriger.</translation>
    </message>
    <message>
        <source>Your clicks are kept: use Undo or the vessel list to take them back.</source>
        <translation>Vos clics sont gardés : Annuler ou la liste des vaisseaux les retire.</translation>
    </message>
    <message>
        <source>It was kept as {name}.</source>
        <translation>Il a été gardé sous {name}.</translation>
    </message>
    <message>
        <source>Marks of {name} that lie outside this recording were left out. {kept}</source>
        <translation>Les marques de {name} situées hors de cet enregistrement ont été omises. {kept}</translation>
    </message>
    <message>
        <source>It could not be put aside: what you mark now replaces it.</source>
        <translation>Il n'a pas pu être mis de côté : ce que vous marquez maintenant le remplace.</translation>
    </message>
    <message>
        <source>The recording has changed since its prompts were placed: check them before you run.</source>
        <translation>L'enregistrement a changé depuis que ses marques ont été posées : vérifiez-les avant de mesurer.</translation>
    </message>
    <message>
        <source>{error}. {kept}</source>
        <translation>{error}. {kept}</translation>
    </message>
    <message>
        <source>Batch stopped. What is finished is kept; started again into the same folder, it goes on.</source>
        <translation>Lot arrêté. Ce qui est fini est gardé ; relancé dans le même dossier, il continue.</translation>
    </message>
    <message>
        <source>Run cancelled. What was finished is kept in the project folder.</source>
        <translation>Mesure annulée. Ce qui était fini est gardé dans le dossier du projet.</translation>
    </message>
    <message>
        <source>Cancelled: no masks were written.</source>
        <translation>Annulé : aucun masque n'a été écrit.</translation>
    </message>
    <message>
        <source>no mask in frame {frame}: click on a vessel or paint one there first</source>
        <translation>aucun masque dans l'image {frame} : cliquez d'abord sur un vaisseau, ou peignez-en un</translation>
    </message>
    <message>
        <source>labels must lie between 0 and {largest}</source>
        <translation>les numéros doivent être entre 0 et {largest}</translation>
    </message>
    <message>
        <source>{folder}: is no longer there</source>
        <translation>{folder} : n'est plus là</translation>
    </message>
    <message>
        <source>Show film</source>
        <translation>Voir le film</translation>
    </message>
    <message>
        <source>Show mean</source>
        <translation>Voir la moyenne</translation>
    </message>
    <message>
        <source>Show stabilised</source>
        <translation>Voir la moyenne stabilisée</translation>
    </message>
    <message>
        <source>Show activity</source>
        <translation>Voir l'activité</translation>
    </message>
    <message>
        <source>Looking through the recording for a still picture…</source>
        <translation>Lecture de l'enregistrement pour une image fixe…</translation>
    </message>
    <message>
        <source>still picture</source>
        <translation>image fixe</translation>
    </message>
    <message>
        <source>a new vessel</source>
        <translation>un nouveau vaisseau</translation>
    </message>
    <message>
        <source>the next vessel of the list</source>
        <translation>le vaisseau suivant de la liste</translation>
    </message>
    <message>
        <source>flip the sign of the next click</source>
        <translation>inverser le signe du prochain clic</translation>
    </message>
    <message>
        <source>another mask for the clicks: the vessel that crosses, to the fork, past it</source>
        <translation>un autre masque pour les clics : le vaisseau qui croise, jusqu'à la fourche, au-delà</translation>
    </message>
    <message>
        <source>find all vessels: they are proposed, a click on an outline accepts one</source>
        <translation>trouver tous les vaisseaux : un clic sur un contour accepte une proposition</translation>
    </message>
    <message>
        <source>drag a box about the vessel (again: back to clicks)</source>
        <translation>tracer un cadre autour du vaisseau (encore : retour aux clics)</translation>
    </message>
    <message>
        <source>draw a line along a vessel to measure it classically (again: back to clicks)</source>
        <translation>tracer une ligne le long d'un vaisseau, mesurée classiquement (encore : retour aux clics)</translation>
    </message>
    <message>
        <source>bend the middle line of the vessel: its mask follows (again: back to clicks)</source>
        <translation>plier la ligne médiane du vaisseau : son masque suit (encore : retour aux clics)</translation>
    </message>
    <message>
        <source>paint the mask of the vessel (again: use it as prompt)</source>
        <translation>peindre le masque du vaisseau (encore : l'utiliser)</translation>
    </message>
    <message>
        <source>give up painting, bending or drawing, back to clicks</source>
        <translation>arrêter de peindre, de plier ou de tracer, retour aux clics</translation>
    </message>
    <message>
        <source>undo (while you paint: the last stroke)</source>
        <translation>annuler (en peignant : le dernier trait)</translation>
    </message>
    <message>
        <source>redo</source>
        <translation>refaire</translation>
    </message>
    <message>
        <source>go to the next frame with a prompt</source>
        <translation>aller à l'image marquée suivante</translation>
    </message>
    <message>
        <source>go to the previous frame with a prompt</source>
        <translation>aller à l'image marquée précédente</translation>
    </message>
    <message>
        <source>hide or show all that lies over the recording</source>
        <translation>cacher ou montrer tout ce qui couvre l'enregistrement</translation>
    </message>
    <message>
        <source>another picture to click on: the film, its mean, its activity</source>
        <translation>une autre image où cliquer : le film, sa moyenne, son activité</translation>
    </message>
    <message>
        <source>show this help</source>
        <translation>montrer cette aide</translation>
    </message>
    <message>
        <source>Recording</source>
        <translation>Enregistrement</translation>
    </message>
    <message>
        <source>Vessels</source>
        <translation>Vaisseaux</translation>
    </message>
    <message>
        <source>Group</source>
        <translation>Groupe</translation>
    </message>
    <message>
        <source>State</source>
        <translation>État</translation>
    </message>
    <message>
        <source>Vessel</source>
        <translation>Vaisseau</translation>
    </message>
    <message>
        <source>Grade</source>
        <translation>Note</translation>
    </message>
    <message>
        <source>Notes</source>
        <translation>Remarques</translation>
    </message>
    <message>
        <source>SAM2Flow: batch</source>
        <translation>SAM2Flow : lot</translation>
    </message>
    <message>
        <source>Double-click a group to type it: before and after, say.</source>
        <translation>Double clic sur un groupe pour l'écrire : avant et après, par exemple.</translation>
    </message>
    <message>
        <source>Velocities of all recordings.</source>
        <translation>Vitesses de tous les enregistrements.</translation>
    </message>
    <message>
        <source>Recordings</source>
        <translation>Enregistrements</translation>
    </message>
    <message>
        <source>Velocities</source>
        <translation>Vitesses</translation>
    </message>
    <message>
        <source>Recordings that are not marked get the clicks of the one that is open</source>
        <translation>Les enregistrements non marqués reçoivent les clics de celui qui est ouvert</translation>
    </message>
    <message>
        <source>For one field of view before and after: the same vessels under the same numbers.</source>
        <translation>Pour un même champ avant et après : les mêmes vaisseaux sous les mêmes numéros.</translation>
    </message>
    <message>
        <source>Add…</source>
        <translation>Ajouter…</translation>
    </message>
    <message>
        <source>Add recordings to the list.</source>
        <translation>Ajouter des enregistrements à la liste.</translation>
    </message>
    <message>
        <source>Remove</source>
        <translation>Retirer</translation>
    </message>
    <message>
        <source>Take the selected recording from the list.</source>
        <translation>Retirer de la liste l'enregistrement choisi.</translation>
    </message>
    <message>
        <source>Measure all…</source>
        <translation>Tout mesurer…</translation>
    </message>
    <message>
        <source>Choose a folder and measure all recordings into it.</source>
        <translation>Choisir un dossier et y mesurer tous les enregistrements.</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Arrêter</translation>
    </message>
    <message>
        <source>Stop after the present frame; what is finished is kept.</source>
        <translation>Arrêter après l'image en cours ; ce qui est fini est gardé.</translation>
    </message>
    <message>
        <source>Comparison</source>
        <translation>Comparaison</translation>
    </message>
    <message>
        <source>Open the page that compares the recordings.</source>
        <translation>Ouvrir la page qui compare les enregistrements.</translation>
    </message>
    <message>
        <source>Add recordings</source>
        <translation>Ajouter des enregistrements</translation>
    </message>
    <message>
        <source>Folder for the results of the batch</source>
        <translation>Dossier des résultats du lot</translation>
    </message>
    <message>
        <source>Vessels of the same number are compared; the first recording is the baseline.</source>
        <translation>Les vaisseaux de même numéro sont comparés ; le premier enregistrement est la référence.</translation>
    </message>
    <message>
        <source>waits</source>
        <translation>attend</translation>
    </message>
    <message>
        <source>none marked</source>
        <translation>aucun marqué</translation>
    </message>
    <message>
        <source>something else goes on: wait for its end, or cancel it</source>
        <translation>autre chose est en cours : attendez la fin, ou annulez</translation>
    </message>
    <message>
        <source>done</source>
        <translation>fini</translation>
    </message>
    <message>
        <source>reading…</source>
        <translation>lit…</translation>
    </message>
    <message>
        <source>all frames. </source>
        <translation>toutes les images. </translation>
    </message>
    <message>
        <source>All are measured with the settings of the dock: model {model}, detail {detail}, </source>
        <translation>Tous sont mesurés avec les réglages de la fenêtre : modèle {model}, densité {detail}, </translation>
    </message>
    <message>
        <source>{borrowed}, of the open one</source>
        <translation>{borrowed}, de l'ouvert</translation>
    </message>
    <message>
        <source>frame {frames_done} of {frames_total}</source>
        <translation>image {frames_done} sur {frames_total}</translation>
    </message>
    <message>
        <source>frames {start} to {stop}. </source>
        <translation>images {start} à {stop}. </translation>
    </message>
    <message>
        <source>Recordings ({endings});;All files (*)</source>
        <translation>Enregistrements ({endings});;Tous les fichiers (*)</translation>
    </message>
    <message>
        <source>No web browser answered. The page is {page} (copied to the clipboard).</source>
        <translation>Aucun navigateur n'a répondu. La page est {page} (copié dans le presse-papiers).</translation>
    </message>
    <message>
        <source>PyQt5 works with this napari; a later one will want PyQt6: pip install 'sam2flow[pyqt6]'</source>
        <translation>PyQt5 marche avec ce napari ; un prochain voudra PyQt6 : pip install 'sam2flow[pyqt6]'</translation>
    </message>
    <message>
        <source>In the dock, and over the image with the layer &lt;i&gt;prompts&lt;/i&gt; (&lt;i&gt;boxes&lt;/i&gt;, &lt;i&gt;brush&lt;/i&gt;) selected:</source>
        <translation>Dans la fenêtre, et sur l'image quand la couche &lt;i&gt;marques&lt;/i&gt; (&lt;i&gt;cadres&lt;/i&gt;, &lt;i&gt;pinceau&lt;/i&gt;) est choisie :</translation>
    </message>
    <message>
        <source>Click</source>
        <translation>Clic</translation>
    </message>
    <message>
        <source>this vessel</source>
        <translation>ce vaisseau</translation>
    </message>
    <message>
        <source>Shift or Alt + click</source>
        <translation>Maj ou Alt + clic</translation>
    </message>
    <message>
        <source>not this vessel</source>
        <translation>pas ce vaisseau</translation>
    </message>
    <message>
        <source>Drag, wheel</source>
        <translation>Glisser, molette</translation>
    </message>
    <message>
        <source>move and zoom the image</source>
        <translation>déplacer et agrandir l'image</translation>
    </message>
    <message>
        <source>3, then drag or Delete</source>
        <translation>3, puis glisser ou Suppr</translation>
    </message>
    <message>
        <source>select points to move or delete; 2 to click again</source>
        <translation>choisir des points à déplacer ou supprimer ; 2 pour cliquer de nouveau</translation>
    </message>
    <message>
        <source>the pages Mark and Results; Tab goes through the dock</source>
        <translation>les pages Marquer et Résultats ; Tab parcourt la fenêtre</translation>
    </message>
    <message>
        <source>run, cancel; other buttons say their keys when the mouse rests on them</source>
        <translation>mesurer, annuler ; les autres boutons disent leurs touches quand la souris s'y pose</translation>
    </message>
    <message>
        <source>SAM2Flow: keys</source>
        <translation>SAM2Flow : touches</translation>
    </message>
    <message>
        <source>Mark</source>
        <translation>Marquer</translation>
    </message>
    <message>
        <source>Results</source>
        <translation>Résultats</translation>
    </message>
    <message>
        <source>This recording</source>
        <translation>Cet enregistrement</translation>
    </message>
    <message>
        <source>What the run has finished is kept.</source>
        <translation>Ce qui est mesuré est gardé.</translation>
    </message>
    <message>
        <source>Settings of a run</source>
        <translation>Réglages de la mesure</translation>
    </message>
    <message>
        <source>Stop and open</source>
        <translation>Arrêter et ouvrir</translation>
    </message>
    <message>
        <source>Go on measuring</source>
        <translation>Continuer à mesurer</translation>
    </message>
    <message>
        <source>{here} is being measured. Stop that and open {name}?</source>
        <translation>{here} est en cours de mesure. Arrêter et ouvrir {name} ?</translation>
    </message>
    <message>
        <source>SAM2Flow: export</source>
        <translation>SAM2Flow : export</translation>
    </message>
    <message>
        <source>With masks, speed and numbers</source>
        <translation>Avec masques, vitesse et numéros</translation>
    </message>
    <message>
        <source>Export…</source>
        <translation>Export…</translation>
    </message>
    <message>
        <source>Choose a folder and write the files there.</source>
        <translation>Choisir un dossier et y écrire les fichiers.</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>Fermer</translation>
    </message>
    <message>
        <source>Stop; files that are whole stay.</source>
        <translation>Arrêter ; les fichiers entiers restent.</translation>
    </message>
    <message>
        <source>Of the film</source>
        <translation>Pour le film</translation>
    </message>
    <message>
        <source>First frame</source>
        <translation>Première image</translation>
    </message>
    <message>
        <source>Last frame</source>
        <translation>Dernière image</translation>
    </message>
    <message>
        <source>Take one frame of</source>
        <translation>Une image sur</translation>
    </message>
    <message>
        <source>Frames shown a second</source>
        <translation>Images montrées par seconde</translation>
    </message>
    <message>
        <source>File type</source>
        <translation>Type de fichier</translation>
    </message>
    <message>
        <source>Export to a folder</source>
        <translation>Exporter dans un dossier</translation>
    </message>
    <message>
        <source>Stopping…</source>
        <translation>Arrêt…</translation>
    </message>
    <message>
        <source>Cancelled; files that are whole stay, and are no longer ticked.</source>
        <translation>Annulé ; les fichiers complets restent et ne sont plus cochés.</translation>
    </message>
    <message>
        <source>Whether {kind} is written.</source>
        <translation>Si cela est écrit : {kind}.</translation>
    </message>
    <message>
        <source>Exported to {step}</source>
        <translation>Exporté dans {step}</translation>
    </message>
    <message>
        <source>Writing {what}</source>
        <translation>Écriture : {what}</translation>
    </message>
    <message>
        <source>Velocity of each vessel. Of the selected one: band, its 95 % interval; grey, no velocity.</source>
        <translation>Vitesse de chaque vaisseau. De celui choisi : bande, son intervalle à 95 % ; gris, pas de vitesse.</translation>
    </message>
    <message>
        <source>Brightness along the selected vessel in the direction of its arrow: streaks are cells. Orange: how they would run at the velocity that was measured.</source>
        <translation>Luminosité le long du vaisseau choisi dans le sens de sa flèche : les traînées sont des cellules. Orange : comme elles iraient à la vitesse mesurée.</translation>
    </message>
    <message>
        <source>time (s)</source>
        <translation>temps (s)</translation>
    </message>
    <message>
        <source>frame</source>
        <translation>image</translation>
    </message>
    <message>
        <source>velocity (um/s)</source>
        <translation>vitesse (um/s)</translation>
    </message>
    <message>
        <source>velocity (px/frame)</source>
        <translation>vitesse (px/image)</translation>
    </message>
    <message>
        <source>{tooltip} Click to go to that frame; the line is the frame on screen.</source>
        <translation>{tooltip} Un clic mène à cette image ; la ligne est l'image à l'écran.</translation>
    </message>
    <message>
        <source>speed so far ({unit})</source>
        <translation>vitesse jusqu'ici ({unit})</translation>
    </message>
    <message>
        <source>distance ({unit})</source>
        <translation>distance ({unit})</translation>
    </message>
    <message>
        <source>typed by you</source>
        <translation>tapé par vous</translation>
    </message>
    <message>
        <source>OME file</source>
        <translation>fichier OME</translation>
    </message>
    <message>
        <source>ImageJ file</source>
        <translation>fichier ImageJ</translation>
    </message>
    <message>
        <source>TIFF tag</source>
        <translation>balise TIFF</translation>
    </message>
    <message>
        <source>video file</source>
        <translation>fichier vidéo</translation>
    </message>
    <message>
        <source>not in file</source>
        <translation>absent du fichier</translation>
    </message>
    <message>
        <source>Measure several recordings with the same settings, and compare them: before and after, say.</source>
        <translation>Mesurer plusieurs enregistrements avec les mêmes réglages et les comparer : avant et après, par exemple.</translation>
    </message>
    <message>
        <source>, doubtful: not used</source>
        <translation>, douteux : non utilisé</translation>
    </message>
    <message>
        <source>, doubtful: check it</source>
        <translation>, douteux : à vérifier</translation>
    </message>
    <message>
        <source>Open a recording</source>
        <translation>Ouvrir un enregistrement</translation>
    </message>
    <message>
        <source>Open a folder of frames</source>
        <translation>Ouvrir un dossier d'images</translation>
    </message>
    <message>
        <source>Side of a pixel in um. 0 = unknown.</source>
        <translation>Côté d'un pixel en um. 0 = inconnu.</translation>
    </message>
    <message>
        <source>Frames per second. 0 = unknown.</source>
        <translation>Images par seconde. 0 = inconnu.</translation>
    </message>
    <message>
        <source>Stabilise</source>
        <translation>Stabiliser</translation>
    </message>
    <message>
        <source>Take the movement of the tissue out of the flow (recommended).</source>
        <translation>Ôter du flux le mouvement du tissu (recommandé).</translation>
    </message>
    <message>
        <source>unknown</source>
        <translation>inconnu</translation>
    </message>
    <message>
        <source>Pixel size (um)</source>
        <translation>Pixel (um)</translation>
    </message>
    <message>
        <source>Rate (Hz)</source>
        <translation>Cadence (Hz)</translation>
    </message>
    <message>
        <source>Open…</source>
        <translation>Ouvrir…</translation>
    </message>
    <message>
        <source>Open a TIFF or a video (AVI, MP4); any size, it is read a frame at a time.</source>
        <translation>Ouvrir un TIFF ou une vidéo (AVI, MP4) de toute taille ; lu image par image.</translation>
    </message>
    <message>
        <source>Folder…</source>
        <translation>Dossier…</translation>
    </message>
    <message>
        <source>Open a folder of single frames.</source>
        <translation>Ouvrir un dossier d'images séparées.</translation>
    </message>
    <message>
        <source>Layer</source>
        <translation>Couche</translation>
    </message>
    <message>
        <source>Take the selected image layer, whatever reader opened it.</source>
        <translation>Prendre la couche image choisie, quel que soit son lecteur.</translation>
    </message>
    <message>
        <source>Sample</source>
        <translation>Exemple</translation>
    </message>
    <message>
        <source>Open the bundled sample recording.</source>
        <translation>Ouvrir l'enregistrement fourni.</translation>
    </message>
    <message>
        <source>Batch…</source>
        <translation>Lot…</translation>
    </message>
    <message>
        <source>No recording is open.</source>
        <translation>Aucun enregistrement n'est ouvert.</translation>
    </message>
    <message>
        <source>{frames} frames, {width} x {height} px, {bit_depth} bit</source>
        <translation>{frames} images, {width} x {height} px, {bit_depth} bits</translation>
    </message>
    <message>
        <source>{name} came through another reader: press Layer to measure it.</source>
        <translation>{name} vient d'un autre lecteur : Couche le mesure.</translation>
    </message>
    <message>
        <source>{value}. Usual are {usual:g} to {usual_2:g}. Type another value to replace it.</source>
        <translation>{value}. D'ordinaire {usual:g} à {usual_2:g}. Tapez une autre valeur pour la remplacer.</translation>
    </message>
    <message>
        <source>Show the plots in a window of their own; closing it brings them back.</source>
        <translation>Montrer les courbes dans leur propre fenêtre ; la fermer les ramène.</translation>
    </message>
    <message>
        <source>no frame</source>
        <translation>aucune image</translation>
    </message>
    <message>
        <source>Flow directions</source>
        <translation>Directions</translation>
    </message>
    <message>
        <source>Colour the vessels by the direction of their flow.</source>
        <translation>Colorer les vaisseaux selon la direction de leur flux.</translation>
    </message>
    <message>
        <source>Tracers</source>
        <translation>Traceurs</translation>
    </message>
    <message>
        <source>Dots that drift with the measured flow: press play below the image.</source>
        <translation>Points qui dérivent avec le flux mesuré : lancez la lecture sous l'image.</translation>
    </message>
    <message>
        <source>One row per vessel. Select a row to select the vessel; rest on it for all values.</source>
        <translation>Une ligne par vaisseau. Choisir une ligne choisit le vaisseau ; la souris y montre toutes les valeurs.</translation>
    </message>
    <message>
        <source>Velocity</source>
        <translation>Vitesse</translation>
    </message>
    <message>
        <source>Space-time</source>
        <translation>Espace-temps</translation>
    </message>
    <message>
        <source>Larger</source>
        <translation>Agrandir</translation>
    </message>
    <message>
        <source>The first velocities come here in a while.</source>
        <translation>Les premières vitesses viendront ici sous peu.</translation>
    </message>
    <message>
        <source>Velocities come here after a run.</source>
        <translation>Les vitesses viennent ici après une mesure.</translation>
    </message>
    <message>
        <source>Save the plot</source>
        <translation>Enregistrer le graphique</translation>
    </message>
    <message>
        <source>Pictures (*.png *.svg)</source>
        <translation>Images (*.png *.svg)</translation>
    </message>
    <message>
        <source>SAM2Flow: plots</source>
        <translation>SAM2Flow : graphiques</translation>
    </message>
    <message>
        <source>Take home tables, workbook, report, figures, masks, a film.</source>
        <translation>Emporter tableaux, classeur, rapport, figures, masques, film.</translation>
    </message>
    <message>
        <source>Figure…</source>
        <translation>Figure…</translation>
    </message>
    <message>
        <source>Save the plot on show as a picture (PNG or SVG).</source>
        <translation>Enregistrer le graphique montré comme image (PNG ou SVG).</translation>
    </message>
    <message>
        <source>Report</source>
        <translation>Rapport</translation>
    </message>
    <message>
        <source>Open the report in the web browser.</source>
        <translation>Ouvrir le rapport dans le navigateur.</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>Copier</translation>
    </message>
    <message>
        <source>Copy the table to the clipboard.</source>
        <translation>Copier le tableau dans le presse-papiers.</translation>
    </message>
    <message>
        <source>Table copied.</source>
        <translation>Tableau copié.</translation>
    </message>
    <message>
        <source>frames {first} to {last}</source>
        <translation>images {first} à {last}</translation>
    </message>
    <message>
        <source>{path}: figures are saved as .png or .svg; choose one of these endings</source>
        <translation>{path} : les figures sont en .png ou .svg ; choisissez l'une de ces extensions</translation>
    </message>
    <message>
        <source>Marked anew since this run: {names}. Run again to measure.</source>
        <translation>Marqués à nouveau depuis cette mesure : {names}. Mesurez encore.</translation>
    </message>
    <message>
        <source> so far.</source>
        <translation> jusqu'ici.</translation>
    </message>
    <message>
        <source>; the run was cut short.</source>
        <translation> ; inachevé.</translation>
    </message>
    <message>
        <source>Flow towards this side,
full colour: {most}</source>
        <translation>Flux vers ce côté,
pleine couleur : {most}</translation>
    </message>
    <message>
        <source>Speed, 0 to
{most}</source>
        <translation>Vitesse, 0 à
{most}</translation>
    </message>
    <message>
        <source>a deleted vessel</source>
        <translation>un vaisseau supprimé</translation>
    </message>
    <message>
        <source>Provisional, from {span}</source>
        <translation>Provisoire : {span}</translation>
    </message>
    <message>
        <source>Figure saved as {path}</source>
        <translation>Figure enregistrée : {path}</translation>
    </message>
    <message>
        <source>px/frame</source>
        <translation>px/image</translation>
    </message>
    <message>
        <source>95 % interval from</source>
        <translation>Intervalle à 95 % de</translation>
    </message>
    <message>
        <source>to</source>
        <translation>à</translation>
    </message>
    <message>
        <source>Slowest</source>
        <translation>Plus lent</translation>
    </message>
    <message>
        <source>Fastest</source>
        <translation>Plus rapide</translation>
    </message>
    <message>
        <source>By the space-time diagram</source>
        <translation>Par le diagramme espace-temps</translation>
    </message>
    <message>
        <source>Diameter</source>
        <translation>Diamètre</translation>
    </message>
    <message>
        <source>Length</source>
        <translation>Longueur</translation>
    </message>
    <message>
        <source>Volume flow</source>
        <translation>Débit</translation>
    </message>
    <message>
        <source>Cells</source>
        <translation>Cellules</translation>
    </message>
    <message>
        <source>per s</source>
        <translation>par s</translation>
    </message>
    <message>
        <source>Pulse</source>
        <translation>Pouls</translation>
    </message>
    <message>
        <source>At rest</source>
        <translation>Au repos</translation>
    </message>
    <message>
        <source>Frames with a velocity</source>
        <translation>Images avec une vitesse</translation>
    </message>
    <message>
        <source>No vessel was measured.</source>
        <translation>Aucun vaisseau n'a été mesuré.</translation>
    </message>
    <message>
        <source>{good} of {count} vessels can be believed as they stand ({parts}).</source>
        <translation>{good} vaisseaux sur {count} sont crédibles tels quels ({parts}).</translation>
    </message>
    <message>
        <source>Number</source>
        <translation>Numéro</translation>
    </message>
    <message>
        <source>Notes: {notes}</source>
        <translation>Remarques : {notes}</translation>
    </message>
    <message>
        <source>Velocity ({unit})</source>
        <translation>Vitesse ({unit})</translation>
    </message>
    <message>
        <source>95 % low ({unit})</source>
        <translation>95 % bas ({unit})</translation>
    </message>
    <message>
        <source>95 % high ({unit})</source>
        <translation>95 % haut ({unit})</translation>
    </message>
    <message>
        <source>{named}, frames {first} to {last}</source>
        <translation>{named}, images {first} à {last}</translation>
    </message>
    <message>
        <source>no grade</source>
        <translation>sans note</translation>
    </message>
    <message>
        <source>goes on</source>
        <translation>en cours</translation>
    </message>
    <message>
        <source>The runs of this recording, none of which is ever overwritten. Choose one to see it.</source>
        <translation>Les mesures de cet enregistrement, dont aucune n'est jamais écrasée. Choisissez-en une pour la voir.</translation>
    </message>
    <message>
        <source>Resume</source>
        <translation>Reprendre</translation>
    </message>
    <message>
        <source>Go on with a run that was cut short, with the marks it began with; or, where a finer detail is chosen now, answer more pairs of frames of the run on show.</source>
        <translation>Continuer une mesure interrompue, avec ses marques ; ou, si une densité plus fine est choisie maintenant, répondre à plus de paires d'images de la mesure montrée.</translation>
    </message>
    <message>
        <source>Compare</source>
        <translation>Comparer</translation>
    </message>
    <message>
        <source>Put runs beside each other, vessel by vessel, on one page.</source>
        <translation>Mettre des mesures côte à côte, vaisseau par vaisseau, sur une page.</translation>
    </message>
    <message>
        <source>Delete</source>
        <translation>Effacer</translation>
    </message>
    <message>
        <source>Delete this run with all that it measured; asks first.</source>
        <translation>Effacer cette mesure avec tout ce qu'elle a mesuré ; demande d'abord.</translation>
    </message>
    <message>
        <source>This cannot be undone. Your clicks stay.</source>
        <translation>Cela ne peut être annulé. Vos clics restent.</translation>
    </message>
    <message>
        <source>SAM2Flow: compare runs</source>
        <translation>SAM2Flow : comparer des mesures</translation>
    </message>
    <message>
        <source>Vessels of the same number are compared; the first run that is ticked is the baseline.</source>
        <translation>Les vaisseaux de même numéro sont comparés ; la première mesure cochée est la référence.</translation>
    </message>
    <message>
        <source>Write the page into the project and open it.</source>
        <translation>Écrire la page dans le projet et l'ouvrir.</translation>
    </message>
    <message>
        <source>Another recording…</source>
        <translation>Autre enregistrement…</translation>
    </message>
    <message>
        <source>Add the newest run of another recording's project.</source>
        <translation>Ajouter la mesure la plus récente du projet d'un autre enregistrement.</translation>
    </message>
    <message>
        <source>cut short</source>
        <translation>interrompue</translation>
    </message>
    <message>
        <source>Refine</source>
        <translation>Affiner</translation>
    </message>
    <message>
        <source>Keep</source>
        <translation>Garder</translation>
    </message>
    <message>
        <source>no tables</source>
        <translation>sans tableaux</translation>
    </message>
    <message>
        <source>Delete {name} with its masks, flow and tables?</source>
        <translation>Effacer {name} avec ses masques, son flux et ses tableaux ?</translation>
    </message>
    <message>
        <source>Folder of another recording's project (*{suffix})</source>
        <translation>Dossier du projet d'un autre enregistrement (*{suffix})</translation>
    </message>
    <message>
        <source>tick two runs or more to compare them</source>
        <translation>cochez deux mesures ou plus pour les comparer</translation>
    </message>
    <message>
        <source>The comparison is {answer}</source>
        <translation>La comparaison est {answer}</translation>
    </message>
    <message>
        <source>{folder}: holds no finished run; choose a folder that ends in {suffix}</source>
        <translation>{folder} : ne contient aucune mesure finie ; choisissez un dossier qui finit en {suffix}</translation>
    </message>
    <message>
        <source>quick</source>
        <translation>rapide</translation>
    </message>
    <message>
        <source>standard</source>
        <translation>normale</translation>
    </message>
    <message>
        <source>every frame</source>
        <translation>chaque image</translation>
    </message>
    <message>
        <source>Run</source>
        <translation>Mesurer</translation>
    </message>
    <message>
        <source>Measure the flow in the marked vessels, frame by frame.</source>
        <translation>Mesurer le flux dans les vaisseaux marqués, image par image.</translation>
    </message>
    <message>
        <source>Masks to all frames</source>
        <translation>Masques dans toutes les images</translation>
    </message>
    <message>
        <source>Carry the masks of the frame on screen, or of a selected labels layer, to all frames, as a new labels layer without flow. The model may be weights of SAM 2.</source>
        <translation>Porter les masques de l'image à l'écran, ou d'une couche labels choisie, dans toutes les images, comme nouvelle couche sans flux. Le modèle peut être un SAM 2.</translation>
    </message>
    <message>
        <source>Frames done, and the time the rest will take.</source>
        <translation>Images faites, et le temps que prendra le reste.</translation>
    </message>
    <message>
        <source>Mark a vessel first; then Run measures it.</source>
        <translation>Marquez d'abord un vaisseau ; il se mesure ensuite ici.</translation>
    </message>
    <message>
        <source>Stopping after the present frame…</source>
        <translation>Arrêt après l'image en cours…</translation>
    </message>
    <message>
        <source>Batch: recording {number}, frame {frames_done} of {frames_total}</source>
        <translation>Lot : enregistrement {number}, image {frames_done} sur {frames_total}</translation>
    </message>
    <message>
        <source>Batch: recording {number} is being read…</source>
        <translation>Lot : lecture de l'enregistrement {number}…</translation>
    </message>
    <message>
        <source>auto</source>
        <translation>auto</translation>
    </message>
    <message>
        <source>enlarged by 2</source>
        <translation>agrandies 2 fois</translation>
    </message>
    <message>
        <source>as recorded</source>
        <translation>telles quelles</translation>
    </message>
    <message>
        <source>{whole} h {whole_2} min</source>
        <translation>{whole} h {whole_2} min</translation>
    </message>
    <message>
        <source>First frame of the run.</source>
        <translation>Première image de la mesure.</translation>
    </message>
    <message>
        <source>Last frame of the run.</source>
        <translation>Dernière image de la mesure.</translation>
    </message>
    <message>
        <source>Further ranges, each with rows of its own in the tables, such as a response after a baseline: 90-120, 150-179.</source>
        <translation>Autres plages, chacune avec ses lignes dans les tableaux, comme une réponse après une référence : 90-120, 150-179.</translation>
    </message>
    <message>
        <source>Where to compute; auto takes a GPU where there is one.</source>
        <translation>Où calculer ; auto prend une carte graphique s'il y en a une.</translation>
    </message>
    <message>
        <source>Name of a model preset, or the path of a checkpoint.</source>
        <translation>Nom d'un modèle, ou chemin d'un fichier de poids.</translation>
    </message>
    <message>
        <source>The resolution at which masks and flow are sought; auto makes cells as large as the model knows.</source>
        <translation>La résolution où masques et flux sont cherchés ; auto rend les cellules aussi grandes que le modèle les connaît.</translation>
    </message>
    <message>
        <source>Quick: pairs of frames at places all over the recording, a first table; standard: 40 pairs a second, which is what a heartbeat needs; every frame: all pairs. Each answer is made from all frames around it.</source>
        <translation>Rapide : des paires d'images à travers tout l'enregistrement, un premier tableau ; normale : 40 paires par seconde, ce qu'il faut pour un pouls ; chaque image : toutes les paires. Chaque réponse vient de toutes les images autour.</translation>
    </message>
    <message>
        <source>Follow</source>
        <translation>Suivre</translation>
    </message>
    <message>
        <source>Move the time slider along with the run.</source>
        <translation>Déplacer le curseur du temps avec la mesure.</translation>
    </message>
    <message>
        <source>Frames</source>
        <translation>Images</translation>
    </message>
    <message>
        <source>Device</source>
        <translation>Calcul</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>Modèle</translation>
    </message>
    <message>
        <source>Scale</source>
        <translation>Échelle</translation>
    </message>
    <message>
        <source>Detail</source>
        <translation>Densité</translation>
    </message>
    <message>
        <source>Ready: {pairs} pairs, about {value} ({pairs_2:.2g} a second).</source>
        <translation>Prêt : {pairs} paires, environ {value} ({pairs_2:.2g} par seconde).</translation>
    </message>
    <message>
        <source>Loading the model…</source>
        <translation>Chargement du modèle…</translation>
    </message>
    <message>
        <source>Reading the recording…</source>
        <translation>Lecture de l'enregistrement…</translation>
    </message>
    <message>
        <source>{whole} min {whole_2} s</source>
        <translation>{whole} min {whole_2} s</translation>
    </message>
    <message>
        <source>Ready: {pairs} pairs of frames.</source>
        <translation>Prêt : {pairs} paires d'images.</translation>
    </message>
    <message>
        <source>Looking for vessels: {value:.0f} % of the field</source>
        <translation>Recherche de vaisseaux : {value:.0f} % du champ</translation>
    </message>
    <message>
        <source>Frame {frames_done} of {frames_total}, {left} left</source>
        <translation>Image {frames_done} sur {frames_total}, reste {left}</translation>
    </message>
    <message>
        <source>shrunk by {factor}</source>
        <translation>réduites {factor} fois</translation>
    </message>
    <message>
        <source>Frames {start} to {stop}: the first comes after the last. Mend the range.</source>
        <translation>Images {start} à {stop} : la première vient après la dernière. Corrigez la plage.</translation>
    </message>
    <message>
        <source>Frames {start} to {stop}: the recording ends with frame {shape}.</source>
        <translation>Images {start} à {stop} : l'enregistrement finit à l'image {shape}.</translation>
    </message>
    <message>
        <source>Frames {start} to {stop}: two frames at least are needed to see motion.</source>
        <translation>Images {start} à {stop} : il faut deux images au moins pour voir un mouvement.</translation>
    </message>
    <message>
        <source>Frames {a} to {b} and {c} to {d} overlap. Give ranges that are apart.</source>
        <translation>Les images {a} à {b} et {c} à {d} se chevauchent. Donnez des plages séparées.</translation>
    </message>
    <message>
        <source>Masks carried to {frames_done} of {shape} frames</source>
        <translation>Masques portés dans {frames_done} images sur {shape}</translation>
    </message>
    <message>
        <source>'{value}' is no range: give first and last frame, such as 90-120.</source>
        <translation>'{value}' n'est pas une plage : donnez première et dernière image, comme 90-120.</translation>
    </message>
    <message>
        <source>No.</source>
        <translation>N°</translation>
    </message>
    <message>
        <source>Name</source>
        <translation>Nom</translation>
    </message>
    <message>
        <source>Prompts</source>
        <translation>Clics</translation>
    </message>
    <message>
        <source>Mask</source>
        <translation>Masque</translation>
    </message>
    <message>
        <source>The number beside the vessel in the image. Tick to draw its mask and flow.</source>
        <translation>Le numéro près du vaisseau dans l'image. Cocher montre son masque et son flux.</translation>
    </message>
    <message>
        <source>Double-click or F2 to rename.</source>
        <translation>Double clic ou F2 pour renommer.</translation>
    </message>
    <message>
        <source>Clicks on this vessel + and beside it −, boxes and painted masks.</source>
        <translation>Clics sur ce vaisseau + et à côté −, cadres et masques peints.</translation>
    </message>
    <message>
        <source>Whether a vessel was found under its clicks.</source>
        <translation>Si un vaisseau a été trouvé sous ses clics.</translation>
    </message>
    <message>
        <source>What tables and pages sort it by, such as its type: double-click to choose or type.</source>
        <translation>Ce selon quoi tableaux et pages le classent, comme son type : double clic pour choisir ou écrire.</translation>
    </message>
    <message>
        <source>{boxes} box</source>
        <translation>{boxes} cadre</translation>
    </message>
    <message>
        <source>{count} mask</source>
        <translation>{count} masque</translation>
    </message>
    <message>
        <source>Drag a rectangle about the selected vessel in this frame (key B).</source>
        <translation>Tracer un rectangle autour du vaisseau choisi dans cette image (touche B).</translation>
    </message>
    <message>
        <source>Draw a line along a vessel: it is measured by its space-time diagram alone, in all frames (key L). Click the corners; a double click ends it.</source>
        <translation>Tracer une ligne le long d'un vaisseau : mesurée par son seul diagramme espace-temps, dans toutes les images (touche L). Cliquez les coins ; un double clic la termine.</translation>
    </message>
    <message>
        <source>Your vessels. Select one to click on it; tick to show, double-click or F2 to rename, drag to another place.</source>
        <translation>Vos vaisseaux. Choisissez-en un pour y cliquer ; cocher pour montrer, double clic ou F2 pour renommer, glisser pour déplacer.</translation>
    </message>
    <message>
        <source>What the next click means. T flips it; Shift or Alt + click means 'not this vessel' once.</source>
        <translation>Ce que veut dire le prochain clic. T l'inverse ; Maj ou Alt + clic veut dire une fois 'pas ce vaisseau'.</translation>
    </message>
    <message>
        <source>Paint</source>
        <translation>Peindre</translation>
    </message>
    <message>
        <source>Paint the selected vessel with a brush in this frame, then use it as prompt (key M).</source>
        <translation>Peindre le vaisseau choisi au pinceau dans cette image, puis l'utiliser (touche M).</translation>
    </message>
    <message>
        <source>Clear</source>
        <translation>Vider</translation>
    </message>
    <message>
        <source>Take box and painted mask of the selected vessel in this frame away; while you paint, give up (Escape).</source>
        <translation>Ôter cadre et masque peint du vaisseau choisi dans cette image ; en peignant, abandonner (Échap).</translation>
    </message>
    <message>
        <source>What to click on: the film; the mean of its frames, as recorded or laid on the tissue; or its activity, which is bright where blood moves (key G). O hides and shows all that lies over it.</source>
        <translation>Où cliquer : le film ; la moyenne de ses images, telles quelles ou posées sur le tissu ; ou son activité, claire où le sang bouge (touche G). O cache et montre tout ce qui couvre.</translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>Annuler</translation>
    </message>
    <message>
        <source>Take back the last edit; while you paint, the last stroke (Ctrl+Z).</source>
        <translation>Annuler la dernière modification ; en peignant, le dernier trait (Ctrl+Z).</translation>
    </message>
    <message>
        <source>Redo</source>
        <translation>Refaire</translation>
    </message>
    <message>
        <source>Bring back what was undone (Ctrl+Shift+Z).</source>
        <translation>Refaire ce qui a été annulé (Ctrl+Maj+Z).</translation>
    </message>
    <message>
        <source>Find vessels</source>
        <translation>Chercher</translation>
    </message>
    <message>
        <source>Propose all vessels of the recording: accept each with a click on its outline, or all (key Shift+F).</source>
        <translation>Proposer tous les vaisseaux de l'enregistrement : accepter chacun d'un clic sur son contour, ou tous (touche Maj+F).</translation>
    </message>
    <message>
        <source>Accept all</source>
        <translation>Tout accepter</translation>
    </message>
    <message>
        <source>Take all outlines on show as vessels (one Undo takes them back).</source>
        <translation>Prendre tous les contours montrés comme vaisseaux (un seul Annuler les retire).</translation>
    </message>
    <message>
        <source>Dismiss</source>
        <translation>Rejeter</translation>
    </message>
    <message>
        <source>Take the outlines away; vessels that were accepted stay.</source>
        <translation>Ôter les contours ; les vaisseaux acceptés restent.</translation>
    </message>
    <message>
        <source>Outlines less sure than this are left out: the overlap that is expected of their masks.</source>
        <translation>Les contours moins sûrs sont omis : le recouvrement attendu de leurs masques.</translation>
    </message>
    <message>
        <source>More</source>
        <translation>Plus</translation>
    </message>
    <message>
        <source>Another mask for the clicks, bend the line, merge, split, or load a table of clicks.</source>
        <translation>Un autre masque pour les clics, plier la ligne, fusionner, diviser, ou charger un tableau de clics.</translation>
    </message>
    <message>
        <source>Open a recording or the sample, or drop a file on the window.</source>
        <translation>Ouvrez un enregistrement ou l'exemple, ou déposez un fichier sur la fenêtre.</translation>
    </message>
    <message>
        <source>Paint the vessel (2 paints, 1 erases), then use the mask, or give up (Escape).</source>
        <translation>Peignez le vaisseau (2 peint, 1 efface), puis utilisez le masque, ou abandonnez (Échap).</translation>
    </message>
    <message>
        <source>Drag the points of the line: the mask follows (2 and a click: one more, 1: one less). C: done.</source>
        <translation>Tirez les points de la ligne : le masque suit (2 et clic : un de plus, 1 : un de moins). C : fini.</translation>
    </message>
    <message>
        <source>Click along a vessel; a double click ends the line.</source>
        <translation>Cliquez le long d'un vaisseau ; un double clic termine la ligne.</translation>
    </message>
    <message>
        <source>Measuring along the line…</source>
        <translation>Mesure le long de la ligne…</translation>
    </message>
    <message>
        <source>Click on a vessel in the image, or have them all found (Find vessels).</source>
        <translation>Cliquez sur un vaisseau dans l'image, ou faites-les tous trouver (Chercher).</translation>
    </message>
    <message>
        <source>Measuring. The window stays free: move through the frames, click, mend masks; Cancel keeps all rows.</source>
        <translation>Mesure en cours. La fenêtre reste libre : parcourez, cliquez, corrigez ; Arrêter garde toutes les lignes.</translation>
    </message>
    <message>
        <source>Measured: see Results, and Export there. Click to mend a mask (Q: another one). N: a new vessel.</source>
        <translation>Mesuré : voir Résultats, et Export là. Un clic corrige un masque (Q : un autre). N : nouveau vaisseau.</translation>
    </message>
    <message>
        <source>Click again to mend the mask (Shift: not this vessel). Q: another mask. N: a new vessel.</source>
        <translation>Cliquez encore pour corriger le masque (Maj : pas ce vaisseau). Q : autre masque. N : nouveau vaisseau.</translation>
    </message>
    <message>
        <source>No vessel that is left is that sure: lower the bound, or dismiss them.</source>
        <translation>Aucun vaisseau restant n'est aussi sûr : baissez la limite, ou rejetez-les.</translation>
    </message>
    <message>
        <source>Merge with</source>
        <translation>Fusionner avec</translation>
    </message>
    <message>
        <source>Next mask that the clicks may mean (Q)</source>
        <translation>Masque suivant que les clics peuvent désigner (Q)</translation>
    </message>
    <message>
        <source>Split off the selected clicks (else the newest)</source>
        <translation>Séparer les clics choisis (sinon le dernier)</translation>
    </message>
    <message>
        <source>Bend the middle line: the mask follows (C)</source>
        <translation>Plier la ligne médiane : le masque suit (C)</translation>
    </message>
    <message>
        <source>Load prompts (CSV)…</source>
        <translation>Charger des clics (CSV)…</translation>
    </message>
    <message>
        <source>Load prompts</source>
        <translation>Charger des clics</translation>
    </message>
    <message>
        <source>Prompts (*.csv)</source>
        <translation>Clics (*.csv)</translation>
    </message>
    <message>
        <source>Add</source>
        <translation>Ajouter</translation>
    </message>
    <message>
        <source>Add a vessel; the next clicks speak of it (key N).</source>
        <translation>Ajouter un vaisseau ; les prochains clics le désignent (touche N).</translation>
    </message>
    <message>
        <source>Delete the selected vessel with its clicks (can be undone).</source>
        <translation>Effacer le vaisseau choisi avec ses clics (peut être annulé).</translation>
    </message>
    <message>
        <source>Move the selected vessel up in the list.</source>
        <translation>Monter le vaisseau choisi dans la liste.</translation>
    </message>
    <message>
        <source>Move the selected vessel down in the list.</source>
        <translation>Descendre le vaisseau choisi dans la liste.</translation>
    </message>
    <message>
        <source>Keys</source>
        <translation>Touches</translation>
    </message>
    <message>
        <source>Show the keys and mouse buttons (key H).</source>
        <translation>Montrer les touches et boutons de souris (touche H).</translation>
    </message>
    <message>
        <source>Box</source>
        <translation>Cadre</translation>
    </message>
    <message>
        <source>Line</source>
        <translation>Ligne</translation>
    </message>
    <message>
        <source>surer than</source>
        <translation>dès</translation>
    </message>
    <message>
        <source>Use the mask</source>
        <translation>Utiliser le masque</translation>
    </message>
    <message>
        <source>Give up</source>
        <translation>Quitter</translation>
    </message>
    <message>
        <source>Click = this vessel  (+)</source>
        <translation>Clic = ce vaisseau  (+)</translation>
    </message>
    <message>
        <source>Click = not this  (−)</source>
        <translation>Clic = pas celui-ci  (−)</translation>
    </message>
    <message>
        <source>The run was cut short: Resume, on Results, goes on with it. Run begins anew.</source>
        <translation>La mesure a été interrompue : Reprendre, dans Résultats, la continue. Mesurer recommence.</translation>
    </message>
    <message>
        <source>{count} vessels proposed, confidence {most:.2f} to {least:.2f}: click on an outline to accept it.</source>
        <translation>{count} vaisseaux proposés, sûreté {most:.2f} à {least:.2f} : un clic sur un contour l'accepte.</translation>
    </message>
    <message>
        <source>One vessel proposed, confidence {most:.2f}: click on its outline to accept it.</source>
        <translation>Un vaisseau proposé, sûreté {most:.2f} : un clic sur son contour l'accepte.</translation>
    </message>
    <message>
        <source>Take all outlines on show as vessels; one Undo takes them back (Alt+A).
{density}</source>
        <translation>Prendre tous les contours montrés comme vaisseaux ; un seul Annuler les retire (Alt+A).
{density}</translation>
    </message>
    <message>
        <source>Opening {name}…</source>
        <translation>Ouverture de {name}…</translation>
    </message>
    <message>
        <source>Click on the vessel that is to be {name}.</source>
        <translation>Cliquez sur le vaisseau qui doit être {name}.</translation>
    </message>
    <message>
        <source>Looking for {name}…</source>
        <translation>Recherche de {name}…</translation>
    </message>
    <message>
        <source>⚠ {name}: {said}</source>
        <translation>⚠ {name} : {said}</translation>
    </message>
    <message>
        <source>Accept all ({count})</source>
        <translation>Accepter ({count})</translation>
    </message>
    <message>
        <source>The run was stopped; what it has finished is kept in the project folder.</source>
        <translation>La mesure a été arrêtée ; ce qui est fini est gardé dans le dossier du projet.</translation>
    </message>
    <message>
        <source>no image of another reader is open: use Open, or drop a file on the window</source>
        <translation>aucune image d'un autre lecteur n'est ouverte : ouvrez-en une, ou déposez un fichier sur la fenêtre</translation>
    </message>
    <message>
        <source>{notice} The project asks for the model '{model}' of the Hugging Face hub; to fetch it, type it.</source>
        <translation>{notice} Le projet demande le modèle '{model}' du hub Hugging Face ; pour le chercher, tapez son nom.</translation>
    </message>
    <message>
        <source>The masks of all frames are in the layer {stem}, and in {masks}</source>
        <translation>Les masques de toutes les images sont dans la couche {stem}, et dans {masks}</translation>
    </message>
    <message>
        <source>SAM2Flow failed: {kind}: {error}. Your clicks are saved.</source>
        <translation>SAM2Flow a échoué : {kind} : {error}. Vos clics sont enregistrés.</translation>
    </message>
    <message>
        <source>no velocity</source>
        <translation>pas de vitesse</translation>
    </message>
    <message>
        <source>{speed}, {grade}</source>
        <translation>{speed}, {grade}</translation>
    </message>
    <message>
        <source>{folder}: the tables of that run have rows without a vessel; run again</source>
        <translation>{folder} : les tableaux de cette mesure ont des lignes sans vaisseau ; mesurez de nouveau</translation>
    </message>
    <message>
        <source>{folder}: the tables of that run lack the column {name}; run again</source>
        <translation>{folder} : les tableaux de cette mesure n'ont pas la colonne {name} ; mesurez de nouveau</translation>
    </message>
    <message>
        <source>{folder}: the tables of that run hold no numbers as {name}; run again</source>
        <translation>{folder} : les tableaux de cette mesure n'ont pas de nombres comme {name} ; mesurez de nouveau</translation>
    </message>
    <message>
        <source>{path} exists already: choose another folder</source>
        <translation>{path} existe déjà : choisissez un autre dossier</translation>
    </message>
    <message>
        <source>film, frame {done} of {total}</source>
        <translation>film, image {done} sur {total}</translation>
    </message>
    <message>
        <source>{path}: is missing or damaged, and the run has ended; `sam2flow report {folder}` makes tables and report anew</source>
        <translation>{path} : manque ou est endommagé, et l'analyse est terminée ; `sam2flow report {folder}` refait les tableaux et le rapport</translation>
    </message>
    <message>
        <source>{folder}: provenance.json is missing, which says how the run there was asked for; run again</source>
        <translation>{folder} : il manque provenance.json, qui dit comment la mesure a été demandée ; mesurez de nouveau</translation>
    </message>
    <message>
        <source>{folder}: the run there was cut short before its first tables; go on with sam2flow run --resume</source>
        <translation>{folder} : la mesure y a été interrompue avant ses premiers tableaux ; reprenez-la avec sam2flow run --resume</translation>
    </message>
    <message>
        <source>{recording}: the recording of this run has moved; give its path (--stack)</source>
        <translation>{recording} : l'enregistrement de cette mesure a été déplacé ; donnez son chemin (--stack)</translation>
    </message>
    <message>
        <source>measuring {count} vessels</source>
        <translation>mesure de {count} vaisseaux</translation>
    </message>
    <message>
        <source>writing tables and report</source>
        <translation>écriture des tableaux et du rapport</translation>
    </message>
    <message>
        <source>{path}: films are written as .mp4 or .gif; choose one of these endings</source>
        <translation>{path} : les films s'écrivent en .mp4 ou .gif ; choisissez une de ces extensions</translation>
    </message>
    <message>
        <source>no frame of the run lies in {start} to {end}: choose other frames</source>
        <translation>aucune image de la mesure n'est dans {start} à {end} : choisissez d'autres images</translation>
    </message>
    <message>
        <source>{path}: a line scan is one TIFF, PNG or JPEG file whose rows are time</source>
        <translation>{path} : un balayage de ligne est un fichier TIFF, PNG ou JPEG dont les lignes sont le temps</translation>
    </message>
    <message>
        <source>{path}: no such file</source>
        <translation>{path} : ce fichier n'existe pas</translation>
    </message>
    <message>
        <source>{name}: a line scan has rows and columns, this picture has the shape {shape}</source>
        <translation>{name} : un balayage de ligne a des lignes et des colonnes, cette image a la forme {shape}</translation>
    </message>
    <message>
        <source>{name}: {rows} rows of {width} columns are too few to follow cells; at least {least}</source>
        <translation>{name} : {rows} lignes de {width} colonnes ne suffisent pas pour suivre des cellules ; au moins {least}</translation>
    </message>
    <message>
        <source>{name}: holds values that are no numbers; export the scan again</source>
        <translation>{name} : contient des valeurs qui ne sont pas des nombres ; réexportez le balayage</translation>
    </message>
    <message>
        <source>{name}: columns {first}:{stop} are not in the scan, which has 0:{width}</source>
        <translation>{name} : les colonnes {first}:{stop} ne sont pas dans le balayage, qui a 0:{width}</translation>
    </message>
    <message>
        <source>{count} pictures in the file: taken as one scan, the rows of each after those of the one before</source>
        <translation>{count} images dans le fichier : prises comme un seul balayage, les lignes de chacune après celles de la précédente</translation>
    </message>
    <message>
        <source>the line's point {y:g},{x:g} (y,x) lies outside the frame of {height} x {width} px</source>
        <translation>le point {y:g},{x:g} (y,x) de la ligne est hors de l'image de {height} x {width} px</translation>
    </message>
    <message>
        <source>{folder}: other runs begin and end there all the time; choose another folder</source>
        <translation>{folder} : d'autres mesures y commencent et s'y terminent sans cesse ; choisissez un autre dossier</translation>
    </message>
    <message>
        <source>{path}: is a symbolic link where a lock file is needed; remove it</source>
        <translation>{path} : est un lien symbolique à la place d'un fichier de verrou ; supprimez-le</translation>
    </message>
    <message>
        <source>{path}: is not a lock file of SAM2Flow; choose another folder</source>
        <translation>{path} : n'est pas un fichier de verrou de SAM2Flow ; choisissez un autre dossier</translation>
    </message>
    <message>
        <source>{parent}: a run on another computer is writing there, or was when it was cut off ({earlier}); if it has ended, remove {name} from the folder and try again</source>
        <translation>{parent} : une mesure sur un autre ordinateur y écrit, ou y écrivait quand elle a été coupée ({earlier}) ; si elle est finie, supprimez {name} du dossier et réessayez</translation>
    </message>
    <message>
        <source>took over the folder from a run that had ended without tidying up ({earlier})</source>
        <translation>dossier repris d'une mesure qui s'était terminée sans ranger ({earlier})</translation>
    </message>
    <message>
        <source>{folder}: is a link to another folder; delete it there</source>
        <translation>{folder} : est un lien vers un autre dossier ; effacez-le là-bas</translation>
    </message>
    <message>
        <source>{out}: holds a finished run, which is not overwritten; choose another folder</source>
        <translation>{out} : contient une mesure finie, qui n'est pas écrasée ; choisissez un autre dossier</translation>
    </message>
    <message>
        <source>{out}: holds an unfinished run; add --resume to go on with it, or choose another folder</source>
        <translation>{out} : contient une mesure inachevée ; reprenez-la (Reprendre, ou --resume), ou choisissez un autre dossier</translation>
    </message>
    <message>
        <source>{store}: is a symbolic link; remove it, or choose another folder</source>
        <translation>{store} : est un lien symbolique ; supprimez-le, ou choisissez un autre dossier</translation>
    </message>
    <message>
        <source>{out}: is not empty (holds '{found}'); choose an empty or a new folder</source>
        <translation>{out} : n'est pas vide (contient '{found}') ; choisissez un dossier vide ou nouveau</translation>
    </message>
    <message>
        <source>{path}: is not a lock file of SAM2Flow; remove it, or choose another folder</source>
        <translation>{path} : n'est pas un fichier de verrou de SAM2Flow ; supprimez-le, ou choisissez un autre dossier</translation>
    </message>
    <message>
        <source>{folder}: holds no run; nothing was deleted</source>
        <translation>{folder} : ne contient pas de mesure ; rien n'a été effacé</translation>
    </message>
    <message>
        <source>{folder}: the folder was removed, moved or replaced while the run was writing there; stopped</source>
        <translation>{folder} : le dossier a été supprimé, déplacé ou remplacé pendant que la mesure y écrivait ; arrêtée</translation>
    </message>
    <message>
        <source>{folder}: another run is writing there ({earlier}); wait for its end, stop it, or choose another folder</source>
        <translation>{folder} : une autre mesure y écrit ({earlier}) ; attendez sa fin, arrêtez-la, ou choisissez un autre dossier</translation>
    </message>
    <message>
        <source>it began just now</source>
        <translation>elle vient de commencer</translation>
    </message>
    <message>
        <source>{path}: the mask is {mask} px, a frame of the recording {frame}; give one image of the same size</source>
        <translation>{path} : le masque a {mask} px, une image de l'enregistrement {frame} ; donnez une image de même taille</translation>
    </message>
    <message>
        <source>{path}: nothing is marked, all is 0; give each object a number of its own</source>
        <translation>{path} : rien n'est marqué, tout vaut 0 ; donnez à chaque objet son propre numéro</translation>
    </message>
    <message>
        <source>{path}: holds more than one image; save that of the annotated frame by itself</source>
        <translation>{path} : contient plus d'une image ; enregistrez à part celle de l'image annotée</translation>
    </message>
    <message>
        <source>{out}: is there already; choose another name, or remove it first</source>
        <translation>{out} : existe déjà ; choisissez un autre nom, ou supprimez-le d'abord</translation>
    </message>
    <message>
        <source>frame {frame} is outside the recording (0 to {last}): give the one that was annotated</source>
        <translation>l'image {frame} est hors de l'enregistrement (0 à {last}) : donnez celle qui a été annotée</translation>
    </message>
    <message>
        <source>nothing is marked in frame {frame}: mark an object there first</source>
        <translation>rien n'est marqué dans l'image {frame} : marquez-y d'abord un objet</translation>
    </message>
    <message>
        <source>{path}: cannot be read as a TIFF image ({error})</source>
        <translation>{path} : ne peut pas être lu comme image TIFF ({error})</translation>
    </message>
    <message>
        <source>{out}: holds a run that differs in its {different}; choose another folder, or ask for the same run</source>
        <translation>{out} : contient une mesure différente ({different}) ; choisissez un autre dossier, ou demandez la même mesure</translation>
    </message>
    <message>
        <source>cannot repeat the run: here is another {different} than in its provenance</source>
        <translation>la mesure ne peut être répétée : quelque chose diffère de sa provenance ({different})</translation>
    </message>
    <message>
        <source>{path}: is no provenance of a run that this version of SAM2Flow can read</source>
        <translation>{path} : n'est pas une provenance que cette version de SAM2Flow sait lire</translation>
    </message>
    <message>
        <source>{path}: cannot be read as a provenance file ({reason})</source>
        <translation>{path} : ne se lit pas comme fichier de provenance ({reason})</translation>
    </message>
    <message>
        <source>video_id '{video_id}' names no folder; give it letters or digits</source>
        <translation>video_id '{video_id}' ne nomme aucun dossier ; donnez des lettres ou des chiffres</translation>
    </message>
    <message>
        <source>video_id '{video_id}' begins or ends with a mark that hides or changes a folder's name</source>
        <translation>video_id '{video_id}' commence ou finit par un signe qui cache ou change le nom d'un dossier</translation>
    </message>
    <message>
        <source>video_id '{video_id}' is the name of a device on Windows; choose another</source>
        <translation>video_id '{video_id}' est le nom d'un périphérique sous Windows ; choisissez-en un autre</translation>
    </message>
    <message>
        <source>video_id '{video_id}' is the name of a file that the batch itself writes; choose another</source>
        <translation>video_id '{video_id}' est le nom d'un fichier que le lot écrit lui-même ; choisissez-en un autre</translation>
    </message>
    <message>
        <source>video_id '{begin}...' is too long; give it at most {longest_bytes} letters</source>
        <translation>video_id '{begin}...' est trop long ; donnez au plus {longest_bytes} lettres</translation>
    </message>
    <message>
        <source>{path}: no recordings in it</source>
        <translation>{path} : ne contient aucun enregistrement</translation>
    </message>
    <message>
        <source>{recording}: the recording of this project has moved; give its path as STACK</source>
        <translation>{recording} : l'enregistrement de ce projet a été déplacé ; donnez son chemin comme STACK</translation>
    </message>
    <message>
        <source>{path}: '{video_id}' stands twice; give each row a video_id of its own</source>
        <translation>{path} : '{video_id}' figure deux fois ; donnez à chaque ligne son propre video_id</translation>
    </message>
    <message>
        <source>{path}: '{video_id}' and '{video_id_2}' would share the folder {name}; give them video_ids that differ in letters or digits</source>
        <translation>{path} : '{video_id}' et '{video_id_2}' partageraient le dossier {name} ; donnez des video_id qui diffèrent par des lettres ou des chiffres</translation>
    </message>
    <message>
        <source>{path}, line {line}: {error}</source>
        <translation>{path}, ligne {line} : {error}</translation>
    </message>
    <message>
        <source>{name}: is not as it was when its vessels were marked; open it and look</source>
        <translation>{name} : n'est plus comme au marquage de ses vaisseaux ; ouvrez-le et regardez</translation>
    </message>
    <message>
        <source>{recording}: is not as it was when its vessels were marked; open it in napari, check the clicks, and run again</source>
        <translation>{recording} : n'est plus comme au marquage de ses vaisseaux ; ouvrez-le dans napari, vérifiez les clics et mesurez de nouveau</translation>
    </message>
    <message>
        <source>{path}, line {line}: no {column}</source>
        <translation>{path}, ligne {line} : pas de {column}</translation>
    </message>
    <message>
        <source>{path}, line {line}: the {column} lies on another computer; copy it here</source>
        <translation>{path}, ligne {line} : {column} se trouve sur un autre ordinateur ; copiez-le ici</translation>
    </message>
    <message>
        <source>{out}: the notes of its earlier run are damaged; run again into a new folder</source>
        <translation>{out} : les notes de sa mesure précédente sont abîmées ; mesurez de nouveau, dans un nouveau dossier</translation>
    </message>
    <message>
        <source>reading the recording, loading the model</source>
        <translation>lecture de l'enregistrement, chargement du modèle</translation>
    </message>
    <message>
        <source>one pair of frames in {every} is answered{pace}, from all the frames around it; detail every (in the window: every frame) answers all</source>
        <translation>une paire d'images sur {every} reçoit une réponse{pace}, à partir de toutes les images autour ; le détail « chaque image » répond à toutes</translation>
    </message>
    <message>
        <source>a quick look: {pairs} pairs of frames at {places} places are answered; go on in the same folder with --resume and more detail</source>
        <translation>un coup d'œil : {pairs} paires d'images à {places} endroits ont reçu une réponse ; un détail plus fin et Affiner continuent</translation>
    </message>
    <message>
        <source>, {rate:.3g} a second</source>
        <translation>, {rate:.3g} par seconde</translation>
    </message>
    <message>
        <source>heart rate {value:g} Hz: no heart beats so ({least:g} to {most:g} Hz); give beats per second, not per minute</source>
        <translation>fréquence cardiaque {value:g} Hz : aucun cœur ne bat ainsi ({least:g} à {most:g} Hz) ; indiquez des battements par seconde, non par minute</translation>
    </message>
    <message>
        <source>detail '{detail}': give {names}, or a whole number N of 1 or more to answer one pair of N</source>
        <translation>détail '{detail}' : donnez {names}, ou un nombre entier N d'au moins 1 pour une paire sur N</translation>
    </message>
    <message>
        <source>frames {start} to {stop}: the first must be 0 or more and before the last</source>
        <translation>images {start} à {stop} : la première doit être 0 ou plus et précéder la dernière</translation>
    </message>
    <message>
        <source>frames {start} to {stop}: the recording has {frames} frames</source>
        <translation>images {start} à {stop} : l'enregistrement a {frames} images</translation>
    </message>
    <message>
        <source>frames {start} to {stop}: at least two frames are needed to see motion</source>
        <translation>images {start} à {stop} : il faut au moins deux images pour voir un mouvement</translation>
    </message>
    <message>
        <source>frames {a} to {b} and {c} to {d} overlap: give ranges that are apart</source>
        <translation>images {a} à {b} et {c} à {d} se chevauchent : donnez des plages séparées</translation>
    </message>
    <message>
        <source>{out}: the state of its unfinished run is damaged ({reason}); run again into a new folder</source>
        <translation>{out} : l'état de la mesure inachevée est abîmé ({reason}) ; mesurez dans un nouveau dossier</translation>
    </message>
    <message>
        <source>the disk is full; free some space</source>
        <translation>le disque est plein ; libérez de la place</translation>
    </message>
    <message>
        <source>the disk quota is used up; free some space</source>
        <translation>le quota du disque est épuisé ; libérez de la place</translation>
    </message>
    <message>
        <source>the file grew larger than the disk or the system allows; choose another disk</source>
        <translation>le fichier dépasse ce que le disque ou le système permet ; choisissez un autre disque</translation>
    </message>
    <message>
        <source>no permission to write there; choose another folder</source>
        <translation>pas le droit d'y écrire ; choisissez un autre dossier</translation>
    </message>
    <message>
        <source>the disk is read-only; choose another folder</source>
        <translation>le disque est en lecture seule ; choisissez un autre dossier</translation>
    </message>
    <message>
        <source>a file stands where a folder is needed; choose another folder</source>
        <translation>un fichier occupe la place d'un dossier ; choisissez un autre dossier</translation>
    </message>
    <message>
        <source>a folder stands where a file is needed; choose another name</source>
        <translation>un dossier occupe la place d'un fichier ; choisissez un autre nom</translation>
    </message>
    <message>
        <source>the name is too long for this disk; choose a shorter one</source>
        <translation>le nom est trop long pour ce disque ; choisissez-en un plus court</translation>
    </message>
    <message>
        <source>symbolic links lead in a circle there; choose another folder</source>
        <translation>des liens symboliques y tournent en rond ; choisissez un autre dossier</translation>
    </message>
    <message>
        <source>the folder has vanished; is the drive still connected?</source>
        <translation>le dossier a disparu ; le disque est-il toujours branché ?</translation>
    </message>
    <message>
        <source>the disk failed; is the drive still connected?</source>
        <translation>le disque a failli ; est-il toujours branché ?</translation>
    </message>
    <message>
        <source>the file share has vanished; connect it again</source>
        <translation>le partage de fichiers a disparu ; reconnectez-le</translation>
    </message>
    <message>
        <source>{path}: is a device or pipe; give the name of a file</source>
        <translation>{path} : est un périphérique ou un tube ; donnez le nom d'un fichier</translation>
    </message>
    <message>
        <source>{path}: {reason}{then}</source>
        <translation>{path} : {reason}{then}</translation>
    </message>
    <message>
        <source>{path}: is what the result would be made from; choose another name</source>
        <translation>{path} : est ce dont le résultat serait fait ; choisissez un autre nom</translation>
    </message>
    <message>
        <source>{path}: holds no text, and tables are written into a Markdown file</source>
        <translation>{path} : ne contient pas de texte, et les tableaux s'écrivent dans un fichier Markdown</translation>
    </message>
    <message>
        <source>the memory of {device} is too small for this recording: choose the device cpu, or crop the frames</source>
        <translation>la mémoire de {device} est trop petite pour cet enregistrement : choisissez le calcul sur cpu, ou rognez les images</translation>
    </message>
    <message>
        <source>the memory of {device} is full: from frame {t} on vessels are answered in {count} groups</source>
        <translation>la mémoire de {device} est pleine : à partir de l'image {t}, les vaisseaux sont traités en {count} groupes</translation>
    </message>
    <message>
        <source>the memory of {device} is full: from frame {t} on the processor goes on, slower</source>
        <translation>la mémoire de {device} est pleine : à partir de l'image {t}, le processeur continue, plus lentement</translation>
    </message>
    <message>
        <source>could not be fetched from the Hugging Face hub ({kind})</source>
        <translation>n'a pu être récupéré sur le hub Hugging Face ({kind})</translation>
    </message>
    <message>
        <source>{path}: no such weights file; give 'tiny' or the path of a .safetensors file</source>
        <translation>{path} : pas de tel fichier de poids ; donnez 'tiny' ou le chemin d'un fichier .safetensors</translation>
    </message>
    <message>
        <source>{said_by} asks for the model '{name}' of the Hugging Face hub: add --download if you want it fetched</source>
        <translation>{said_by} demande le modèle '{name}' du hub Hugging Face : ajoutez --download pour le récupérer</translation>
    </message>
    <message>
        <source>is no file or folder here, and the Hugging Face hub cannot be reached. Without network, copy the model's folder to this computer and give its path</source>
        <translation>n'est ici ni un fichier ni un dossier, et le hub Hugging Face est hors d'atteinte. Sans réseau, copiez le dossier du modèle sur cet ordinateur et donnez son chemin</translation>
    </message>
    <message>
        <source>is no file or folder here, nor a model on the Hugging Face hub that may be read; check the spelling</source>
        <translation>n'est ici ni un fichier ni un dossier, ni un modèle lisible sur le hub Hugging Face ; vérifiez l'orthographe</translation>
    </message>
    <message>
        <source>is on the Hugging Face hub, but without {config} and {weights}: not weights of SAM2Flow</source>
        <translation>est sur le hub Hugging Face, mais sans {config} ni {weights} : ce ne sont pas des poids de SAM2Flow</translation>
    </message>
    <message>
        <source>'{name}' {why}</source>
        <translation>'{name}' {why}</translation>
    </message>
    <message>
        <source>frame {frame} is outside the recording (0 to {last})</source>
        <translation>l'image {frame} est hors de l'enregistrement (0 à {last})</translation>
    </message>
    <message>
        <source>recent_n {frames}: give 1 or more frames</source>
        <translation>recent_n {frames} : donnez 1 image ou plus</translation>
    </message>
    <message>
        <source>there is no object {obj_id}</source>
        <translation>il n'y a pas d'objet {obj_id}</translation>
    </message>
    <message>
        <source>object {obj_id} has no prompt left: add one, or remove the object</source>
        <translation>l'objet {obj_id} n'a plus de marque : ajoutez-en une, ou supprimez l'objet</translation>
    </message>
    <message>
        <source>no size of SAM 2 has an image encoder of {count} blocks and width {embed}; tiny, small, base plus and large can be used</source>
        <translation>aucune taille de SAM 2 n'a un encodeur d'images de {count} blocs et de largeur {embed} ; tiny, small, base plus et large sont utilisables</translation>
    </message>
    <message>
        <source>no size of SAM has an image encoder of width {width}; vit_b, vit_l and vit_h can be used</source>
        <translation>aucune taille de SAM n'a un encodeur d'images de largeur {width} ; vit_b, vit_l et vit_h sont utilisables</translation>
    </message>
    <message>
        <source>{path}: no checkpoint of SAM 2: it has no table of weights called 'model'</source>
        <translation>{path} : pas de poids de SAM 2 : il n'y a pas de table nommée 'model'</translation>
    </message>
    <message>
        <source>the checkpoint lacks {count} tensors that masks depend on, {missing} the first; it is not complete</source>
        <translation>il manque aux poids {count} tenseurs dont dépendent les masques, {missing} en premier ; le fichier n'est pas complet</translation>
    </message>
    <message>
        <source>its place has the shape {shape}</source>
        <translation>sa place a la forme {shape}</translation>
    </message>
    <message>
        <source>{path}: no such weights file</source>
        <translation>{path} : ce fichier de poids n'existe pas</translation>
    </message>
    <message>
        <source>{path}: cannot be read as a checkpoint; it holds no table</source>
        <translation>{path} : ne peut pas être lu comme poids ; le fichier ne contient pas de table</translation>
    </message>
    <message>
        <source>{path}: is packed in a way that PyTorch never does; it was refused</source>
        <translation>{path} : est compressé comme PyTorch ne le fait jamais ; il a été refusé</translation>
    </message>
    <message>
        <source>{path}: holds more than weights, or is damaged; it was refused and nothing in it was run. Fetch the file anew from where it comes from</source>
        <translation>{path} : contient plus que des poids, ou est endommagé ; il a été refusé et rien n'en a été exécuté. Récupérez-le à nouveau à sa source</translation>
    </message>
    <message>
        <source>{path}: cannot be read as a checkpoint; the download may be incomplete</source>
        <translation>{path} : ne peut pas être lu comme poids ; le téléchargement est peut-être incomplet</translation>
    </message>
    <message>
        <source>{path}: does not fit this program, or is damaged ({error})</source>
        <translation>{path} : ne convient pas à ce programme, ou est endommagé ({error})</translation>
    </message>
    <message>
        <source>{path}: damaged: the weights {name} are no finite numbers; fetch it anew</source>
        <translation>{path} : endommagé : les poids {name} ne sont pas des nombres finis ; récupérez le fichier à nouveau</translation>
    </message>
    <message>
        <source>{path}: cannot be read as a checkpoint, and nothing in it was run; it is damaged, or of before PyTorch 1.6: save it anew</source>
        <translation>{path} : ne peut pas être lu comme poids, et rien n'en a été exécuté ; il est endommagé ou antérieur à PyTorch 1.6 : enregistrez-le à nouveau</translation>
    </message>
    <message>
        <source>vessel {obj_id}: the click at y {y:g}, x {x:g} lies in a margin that shows nothing; move it</source>
        <translation>vaisseau {obj_id} : le clic en y {y:g}, x {x:g} est dans une marge qui ne montre rien ; déplacez-le</translation>
    </message>
    <message>
        <source>there is no vessel {obj_id}</source>
        <translation>il n'y a pas de vaisseau {obj_id}</translation>
    </message>
    <message>
        <source>there is no {object_name} {obj_id}</source>
        <translation>il n'y a pas de {object_name} {obj_id}</translation>
    </message>
    <message>
        <source>{path}: a safetensors file, but not weights of SAM2Flow</source>
        <translation>{path} : un fichier safetensors, mais pas des poids de SAM2Flow</translation>
    </message>
    <message>
        <source>{folder}: a model, but not of SAM2Flow; SAM 2 itself is read from its .pt file</source>
        <translation>{folder} : un modèle, mais pas de SAM2Flow ; SAM 2 lui-même se lit dans son fichier .pt</translation>
    </message>
    <message>
        <source>device '{name}' is not available on this computer; use --device auto</source>
        <translation>le calcul sur '{name}' n'est pas possible sur cet ordinateur ; choisissez auto</translation>
    </message>
    <message>
        <source>{path}: not a safetensors file; only files written by 'sam2flow train' can be used</source>
        <translation>{path} : pas un fichier safetensors ; seuls servent les fichiers écrits par 'sam2flow train'</translation>
    </message>
    <message>
        <source>{path}: its header is damaged ({reason}); fetch it anew</source>
        <translation>{path} : son en-tête est abîmé ({reason}) ; récupérez-le de nouveau</translation>
    </message>
    <message>
        <source>{folder}: no model in this folder; {config_file} and {weights_file} should be there</source>
        <translation>{folder} : pas de modèle dans ce dossier ; {config_file} et {weights_file} devraient y être</translation>
    </message>
    <message>
        <source>{file}: cannot be read ({reason})</source>
        <translation>{file} : illisible ({reason})</translation>
    </message>
    <message>
        <source>no setting '{key}' in the model's configuration</source>
        <translation>pas de réglage '{key}' dans la configuration du modèle</translation>
    </message>
    <message>
        <source>device '{name}' is none; use --device auto, cpu, cuda or mps</source>
        <translation>'{name}' n'est pas un calculateur ; choisissez auto, cpu, cuda ou mps</translation>
    </message>
    <message>
        <source>{path}: the weights do not fit their configuration ({first} is the first)</source>
        <translation>{path} : les poids ne vont pas avec leur configuration ({first} en premier)</translation>
    </message>
    <message>
        <source>Vessel {number}</source>
        <translation>Vaisseau {number}</translation>
    </message>
    <message>
        <source>prompts.csv beside it can be opened instead</source>
        <translation>prompts.csv, à côté, peut être ouvert à la place</translation>
    </message>
    <message>
        <source>{folder}: cannot create the project folder ({reason})</source>
        <translation>{folder} : impossible de créer le dossier du projet ({reason})</translation>
    </message>
    <message>
        <source>{folder}: not a SAM2Flow project (no {project_file} in it)</source>
        <translation>{folder} : pas un projet de SAM2Flow (sans {project_file})</translation>
    </message>
    <message>
        <source>{file}: cannot be read ({reason}); {instead}</source>
        <translation>{file} : illisible ({reason}) ; {instead}</translation>
    </message>
    <message>
        <source>{file}: written by a newer SAM2Flow; update the plugin to open it</source>
        <translation>{file} : écrit par un SAM2Flow plus récent ; mettez le plugin à jour pour l'ouvrir</translation>
    </message>
    <message>
        <source>{file}: damaged, cannot be read ({reason}); {instead}</source>
        <translation>{file} : abîmé, illisible ({reason}) ; {instead}</translation>
    </message>
    <message>
        <source>{vessel}: pixel y={y:g}, x={x:g} of frame {frame} is clicked with label 1 (this vessel) and with label 0 (not this vessel); remove one of the two clicks</source>
        <translation>{vessel} : le pixel y={y:g}, x={x:g} de l'image {frame} est cliqué avec le label 1 (ce vaisseau) et avec le label 0 (pas ce vaisseau) ; retirez l'un des deux clics</translation>
    </message>
    <message>
        <source>{path}: no prompts in it; add at least one row with label 1</source>
        <translation>{path} : aucune marque ; ajoutez au moins une ligne avec label 1</translation>
    </message>
    <message>
        <source>{vessel}: ids run from 1 to 65535</source>
        <translation>{vessel} : les numéros vont de 1 à 65535</translation>
    </message>
    <message>
        <source>{vessel}: label {label} is neither 1 (vessel) nor 0 (not this vessel)</source>
        <translation>{vessel} : label {label} n'est ni 1 (vaisseau) ni 0 (pas ce vaisseau)</translation>
    </message>
    <message>
        <source>{vessel}: frame {frame} is outside the recording (0 to {last})</source>
        <translation>{vessel} : l'image {frame} est hors de l'enregistrement (0 à {last})</translation>
    </message>
    <message>
        <source>{vessel}: point {place} is outside the image ({height} x {width} px)</source>
        <translation>{vessel} : le point {place} est hors de l'image ({height} x {width} px)</translation>
    </message>
    <message>
        <source>{vessel}: the box in frame {frame} does not lie in the image ({height} x {width} px)</source>
        <translation>{vessel} : le cadre de l'image {frame} n'est pas dans l'image ({height} x {width} px)</translation>
    </message>
    <message>
        <source>{vessel}: the mask in frame {frame} has {height} x {width} px, the recording {height_2} x {width_2}; paint it again on this recording</source>
        <translation>{vessel} : le masque de l'image {frame} a {height} x {width} px, l'enregistrement {height_2} x {width_2} ; repeignez-le sur cet enregistrement</translation>
    </message>
    <message>
        <source>{vessel}: the mask in frame {frame} is empty; paint the vessel, or delete the mask</source>
        <translation>{vessel} : le masque de l'image {frame} est vide ; peignez le vaisseau ou effacez le masque</translation>
    </message>
    <message>
        <source>{place}: a value is missing or not a number ({column})</source>
        <translation>{place} : une valeur manque ou n'est pas un nombre ({column})</translation>
    </message>
    <message>
        <source>{place}: vessel_id, frame and label must be whole numbers, and no huge ones</source>
        <translation>{place} : vessel_id, frame et label doivent être des nombres entiers, et non démesurés</translation>
    </message>
    <message>
        <source>vessel {vessel} has negative clicks only; add a click with label 1 on the vessel</source>
        <translation>le vaisseau {vessel} n'a que des clics négatifs ; cliquez aussi sur le vaisseau</translation>
    </message>
    <message>
        <source>vessel {vessel} has {count} clicks in frame {frame}; {most} are taken at most, and three along a vessel are enough</source>
        <translation>le vaisseau {vessel} a {count} clics dans l'image {frame} ; {most} au plus sont acceptés, et trois le long d'un vaisseau suffisent</translation>
    </message>
    <message>
        <source>{place}: vessel {vessel} has two {column}s, '{known}' and '{text}'</source>
        <translation>{place} : le vaisseau {vessel} a deux {column}, '{known}' et '{text}'</translation>
    </message>
    <message>
        <source>; what is finished is kept, go on with --resume</source>
        <translation>; ce qui est fini est gardé : Reprendre continue</translation>
    </message>
    <message>
        <source>results of layout {version}, this SAM2Flow reads {current}</source>
        <translation>résultats au format {version}, ce SAM2Flow lit {current}</translation>
    </message>
    <message>
        <source>{parent}: {found}; update SAM2Flow</source>
        <translation>{parent} : {found} ; mettez SAM2Flow à jour</translation>
    </message>
    <message>
        <source>{parent}: an earlier SAM2Flow began this run; run again into a new folder</source>
        <translation>{parent} : un SAM2Flow antérieur a commencé cette mesure ; mesurez de nouveau, dans un nouveau dossier</translation>
    </message>
    <message>
        <source>{store}: these results are damaged ({reason}); run again</source>
        <translation>{store} : ces résultats sont abîmés ({reason}) ; mesurez de nouveau</translation>
    </message>
    <message>
        <source>{parent}: no results of a run there; give the folder that `sam2flow run --out` wrote</source>
        <translation>{parent} : pas de résultats de mesure ; donnez le dossier que `sam2flow run --out` a écrit</translation>
    </message>
    <message>
        <source>{store_path}: a part of '{name}' is missing from these results; copy the folder anew, or run again</source>
        <translation>{store_path} : une partie de '{name}' manque dans ces résultats ; copiez de nouveau le dossier, ou mesurez de nouveau</translation>
    </message>
    <message>
        <source>{store_path}: '{name}' is missing from these results; run again</source>
        <translation>{store_path} : '{name}' manque dans ces résultats ; mesurez de nouveau</translation>
    </message>
    <message>
        <source>{path}: cannot be read ({reason}); run again without --resume into a new folder</source>
        <translation>{path} : illisible ({reason}) ; mesurez de nouveau, dans un nouveau dossier</translation>
    </message>
    <message>
        <source>{path}: was removed while the run was writing there; stopped</source>
        <translation>{path} : a été supprimé pendant que la mesure y écrivait ; arrêtée</translation>
    </message>
    <message>
        <source>the columns are {names}</source>
        <translation>les colonnes sont {names}</translation>
    </message>
    <message>
        <source>{path}: the file is empty; expected the columns {names}</source>
        <translation>{path} : le fichier est vide ; les colonnes attendues sont {names}</translation>
    </message>
    <message>
        <source>{path}: not a CSV table; expected the columns {names}</source>
        <translation>{path} : pas une table CSV ; les colonnes attendues sont {names}</translation>
    </message>
    <message>
        <source>{path}, line {line}: more values than there are columns ({names})</source>
        <translation>{path}, ligne {line} : plus de valeurs que de colonnes ({names})</translation>
    </message>
    <message>
        <source>{path}, line {line}: a value in a column without a name; the columns are {names}</source>
        <translation>{path}, ligne {line} : une valeur dans une colonne sans nom ; les colonnes sont {names}</translation>
    </message>
    <message>
        <source>{path}: '{one}' has a comma and '{other}' a point; write all numbers with a decimal point</source>
        <translation>{path} : '{one}' a une virgule et '{other}' un point ; écrivez tous les nombres avec un point décimal</translation>
    </message>
    <message>
        <source>{path}: '{cell}' may mean {decimal} or {plain}; write it as 12.5 or 12500</source>
        <translation>{path} : '{cell}' peut vouloir dire {decimal} ou {plain} ; écrivez 12.5 ou 12500</translation>
    </message>
    <message>
        <source>'{text}' in column {column}</source>
        <translation>'{text}' dans la colonne {column}</translation>
    </message>
    <message>
        <source>{path}, line {line}: a value is missing or not a number: {found}</source>
        <translation>{path}, ligne {line} : une valeur manque ou n'est pas un nombre : {found}</translation>
    </message>
    <message>
        <source>{path}: not a CSV table ({fault}); expected the columns {names}</source>
        <translation>{path} : pas une table CSV ({fault}) ; les colonnes attendues sont {names}</translation>
    </message>
    <message>
        <source>{path}: no permission to read this file</source>
        <translation>{path} : pas le droit de lire ce fichier</translation>
    </message>
    <message>
        <source>{path}: cannot be read ({fault}); expected the columns {names}</source>
        <translation>{path} : ne peut pas être lu ({fault}) ; les colonnes attendues sont {names}</translation>
    </message>
    <message>
        <source>{path}: not a CSV table in UTF-8; save it as 'CSV UTF-8'</source>
        <translation>{path} : pas une table CSV en UTF-8 ; enregistrez-la en 'CSV UTF-8'</translation>
    </message>
    <message>
        <source>{path}: unknown column '{name}'; {known}</source>
        <translation>{path} : colonne inconnue '{name}' ; {known}</translation>
    </message>
    <message>
        <source>{path}: column '{name}' stands twice; {known}</source>
        <translation>{path} : la colonne '{name}' figure deux fois ; {known}</translation>
    </message>
    <message>
        <source>{path}: column '{name}' is missing; {known}</source>
        <translation>{path} : la colonne '{name}' manque ; {known}</translation>
    </message>
    <message>
        <source>{path}: this table cannot be read ({error})</source>
        <translation>{path} : cette table ne peut pas être lue ({error})</translation>
    </message>
    <message>
        <source>{name}: pixels are numbers of a colour palette, no brightness; convert to greyscale first (Fiji: Image &gt; Type &gt; RGB Color, then 8-bit)</source>
        <translation>{name} : les pixels sont des numéros d'une palette, pas une luminosité ; convertissez d'abord en niveaux de gris (Fiji : Image &gt; Type &gt; RGB Color, puis 8-bit)</translation>
    </message>
    <message>
        <source>pixel size</source>
        <translation>taille de pixel</translation>
    </message>
    <message>
        <source>frame rate</source>
        <translation>cadence d'images</translation>
    </message>
    <message>
        <source>{what} {value:.4g} {unit}</source>
        <translation>{what} {value:.4g} {unit}</translation>
    </message>
    <message>
        <source>{what} {value:g} {unit}: must be a number above 0</source>
        <translation>{what} {value:g} {unit} : doit être un nombre supérieur à 0</translation>
    </message>
    <message>
        <source>{what} {value:g} {unit} cannot be that of a microscope ({least:g} to {most:g} {unit}); give it in {unit}</source>
        <translation>{what} {value:g} {unit} ne peut être celle d'un microscope ({least:g} à {most:g} {unit}) ; donnez-la en {unit}</translation>
    </message>
    <message>
        <source>no {what} in the file: give it in {given_in} to get velocities in um/s</source>
        <translation>pas de {what} dans le fichier : donnez-la en {given_in} pour obtenir des vitesses en um/s</translation>
    </message>
    <message>
        <source>{value} ({source}) is not plausible and is not used: give it</source>
        <translation>{value} ({source}) n'est pas plausible et n'est pas utilisée : donnez-la</translation>
    </message>
    <message>
        <source>{value} is that at which the video plays: give it if the camera had another</source>
        <translation>{value} est celle à laquelle la vidéo se lit : donnez celle de la caméra si elle était autre</translation>
    </message>
    <message>
        <source>um per pixel</source>
        <translation>um par pixel</translation>
    </message>
    <message>
        <source>{one}; {other}</source>
        <translation>{one} ; {other}</translation>
    </message>
    <message>
        <source>{count} files joined, {name} to {last}: {frames} frames</source>
        <translation>{count} fichiers réunis, {name} à {last} : {frames} images</translation>
    </message>
    <message>
        <source>{name}: files of {count} different names, {names}: no single series of frames; put the frames of one recording and of one channel into a folder of their own, numbered</source>
        <translation>{name} : fichiers de {count} noms différents, {names} : pas une seule série d'images ; mettez les images d'un enregistrement et d'un canal, numérotées, dans leur propre dossier</translation>
    </message>
    <message>
        <source>{name}: several files have one number, such as {name_2}; keep one of each frame</source>
        <translation>{name} : plusieurs fichiers ont le même numéro, comme {name_2} ; gardez-en un par image</translation>
    </message>
    <message>
        <source>{name}: the names count in {count} places ({name_2} to {name_3}), so several series or channels lie in one folder; put the frames of one into a folder of their own</source>
        <translation>{name} : les noms comptent à {count} endroits ({name_2} à {name_3}) : plusieurs séries ou canaux sont dans un dossier ; mettez les images d'une seule dans leur propre dossier</translation>
    </message>
    <message>
        <source>file numbers jump {jumps} times, first after {first}: frames are missing</source>
        <translation>les numéros de fichiers sautent {jumps} fois, d'abord après {first} : des images manquent</translation>
    </message>
    <message>
        <source>this is a later part of a split recording, from frame {first} on: open its first file</source>
        <translation>c'est une partie ultérieure d'un enregistrement découpé, à partir de l'image {first} : ouvrez son premier fichier</translation>
    </message>
    <message>
        <source>the names count {planes} ('{labels}' in {name}): they are read as frames</source>
        <translation>les noms comptent {planes} ('{labels}' dans {name}) : ils sont lus comme images successives</translation>
    </message>
    <message>
        <source>{count} pictures of other names are not frames and are left out: {names}</source>
        <translation>{count} images d'autres noms n'en font pas partie et sont laissées de côté : {names}</translation>
    </message>
    <message>
        <source>{name}: {count} {called} in one folder ('{label}' in {name_2}): a recording has one picture per time point; put the frames of one of them into a folder of their own</source>
        <translation>{name} : {count} {called} dans un dossier ('{label}' dans {name_2}) : un enregistrement a une image par instant ; mettez les images de l'un d'eux dans leur propre dossier</translation>
    </message>
    <message>
        <source>{frames} of {planned} planned frames: the recording was stopped, or its other files are missing</source>
        <translation>{frames} images sur {planned} prévues : l'enregistrement a été arrêté, ou ses autres fichiers manquent</translation>
    </message>
    <message>
        <source>part {part} is missing, later ones are left out</source>
        <translation>la partie {part} manque, les suivantes sont laissées de côté</translation>
    </message>
    <message>
        <source>{beside} lies beside it and is taken for another recording, not for its second part</source>
        <translation>{beside} se trouve à côté et est pris pour un autre enregistrement, pas pour sa seconde partie</translation>
    </message>
    <message>
        <source>{name} lies beside it and is another recording, it does not go on where this one ends</source>
        <translation>{name} se trouve à côté et est un autre enregistrement : il ne reprend pas où celui-ci finit</translation>
    </message>
    <message>
        <source>this is a later part of a split recording: open {name} for all of it</source>
        <translation>c'est une partie ultérieure d'un enregistrement découpé : ouvrez {name} pour l'avoir en entier</translation>
    </message>
    <message>
        <source>{name}: the recording was changed or replaced while it was open; leave it as it is until the run has ended, and start anew</source>
        <translation>{name} : l'enregistrement a été changé ou remplacé pendant qu'il était ouvert ; laissez-le tel quel jusqu'à la fin de la mesure et recommencez</translation>
    </message>
    <message>
        <source>{name}: the recording was removed or renamed, or its drive or share has vanished; connect it again</source>
        <translation>{name} : l'enregistrement a été retiré ou renommé, ou son disque a disparu ; reconnectez-le</translation>
    </message>
    <message>
        <source>{name}: the recording can no longer be read ({strerror}); is its drive still connected?</source>
        <translation>{name} : l'enregistrement ne peut plus être lu ({strerror}) ; son disque est-il encore connecté ?</translation>
    </message>
    <message>
        <source> (its folder holds {count} numbered frames: open the folder)</source>
        <translation> (son dossier contient {count} images numérotées : ouvrez le dossier)</translation>
    </message>
    <message>
        <source>{folder}: {count} recordings in this folder; open one of them, such as {name}</source>
        <translation>{folder} : {count} enregistrements dans ce dossier ; ouvrez-en un, comme {name}</translation>
    </message>
    <message>
        <source>{folder}: a Zarr folder is not opened by its path; open it in napari with a reader of its own and choose that layer as the recording, or save it as TIFF</source>
        <translation>{folder} : un dossier Zarr ne s'ouvre pas par son chemin ; ouvrez-le dans napari avec un lecteur à lui et choisissez ce calque comme enregistrement, ou enregistrez-le en TIFF</translation>
    </message>
    <message>
        <source>{folder}: no TIFF, PNG or JPEG files in this folder, and no video</source>
        <translation>{folder} : ni fichiers TIFF, PNG ou JPEG dans ce dossier, ni vidéo</translation>
    </message>
    <message>
        <source>{folder}: {count} videos in this folder; open one of them, such as {name}</source>
        <translation>{folder} : {count} vidéos dans ce dossier ; ouvrez-en une, comme {name}</translation>
    </message>
    <message>
        <source>{count} {what} are no part of the recording and are left out: {names}</source>
        <translation>{count} {what} ne font pas partie de l'enregistrement et sont laissés de côté : {names}</translation>
    </message>
    <message>
        <source> (a line scan, with time downwards, is measured by: sam2flow linescan {name})</source>
        <translation> (un balayage de ligne, le temps vers le bas, se mesure par : sam2flow linescan {name})</translation>
    </message>
    <message>
        <source>{name}: this frame is cut off; copy or export it again</source>
        <translation>{name} : cette image est tronquée ; copiez-la ou exportez-la de nouveau</translation>
    </message>
    <message>
        <source>{folder}: no permission to read this folder</source>
        <translation>{folder} : pas le droit de lire ce dossier</translation>
    </message>
    <message>
        <source>{count} {kind} files beside the {wanted} files are not read</source>
        <translation>{count} fichiers ({kind}) à côté de ceux de l'enregistrement ({wanted}) ne sont pas lus</translation>
    </message>
    <message>
        <source>files of several frames</source>
        <translation>fichiers de plusieurs images</translation>
    </message>
    <message>
        <source>{name}: axes of a folder of frames are TYX, not '{axes}'</source>
        <translation>{name} : les axes d'un dossier d'images sont TYX, pas '{axes}'</translation>
    </message>
    <message>
        <source>{name}: grey pictures with transparency; save them without it (Fiji: Image &gt; Type &gt; 8-bit)</source>
        <translation>{name} : images grises avec transparence ; enregistrez-les sans elle (Fiji : Image &gt; Type &gt; 8-bit)</translation>
    </message>
    <message>
        <source>{name}: frame is {found}, the first one {first}; all must have one size and type</source>
        <translation>{name} : l'image est {found}, la première {first} ; toutes doivent avoir la même taille et le même type</translation>
    </message>
    <message>
        <source>single pictures</source>
        <translation>fichiers d'une seule image</translation>
    </message>
    <message>
        <source>{name}: frame {t} holds {bad} NaN or infinite pixels; replace them by numbers first</source>
        <translation>{name} : l'image {t} a {bad} pixels NaN ou infinis ; remplacez-les d'abord par des nombres</translation>
    </message>
    <message>
        <source>{px} px above</source>
        <translation>{px} px en haut</translation>
    </message>
    <message>
        <source>{px} px below</source>
        <translation>{px} px en bas</translation>
    </message>
    <message>
        <source>{px} px left</source>
        <translation>{px} px à gauche</translation>
    </message>
    <message>
        <source>{px} px right</source>
        <translation>{px} px à droite</translation>
    </message>
    <message>
        <source>{name}: every pixel looked at is {low:g}: there is no picture in this recording</source>
        <translation>{name} : chaque pixel regardé vaut {low:g} : il n'y a pas d'image dans cet enregistrement</translation>
    </message>
    <message>
        <source>{name}: pixels from {low:g} to {high:g} cannot be counted with; multiply them so that they lie between 0 and 65535, and save the recording again</source>
        <translation>{name} : on ne peut pas calculer avec des pixels de {low:g} à {high:g} ; multipliez-les pour qu'ils soient entre 0 et 65535, et enregistrez de nouveau</translation>
    </message>
    <message>
        <source>{name}: pixels of type {dtype}; save the recording as 8, 16 or 32 bit greyscale</source>
        <translation>{name} : pixels de type {dtype} ; enregistrez en niveaux de gris de 8, 16 ou 32 bits</translation>
    </message>
    <message>
        <source>{name}: frames of {height} x {width} px are too small; at least {minimum_side_px} px a side are needed (are the axes right?)</source>
        <translation>{name} : des images de {height} x {width} px sont trop petites ; il faut au moins {minimum_side_px} px de côté (les axes sont-ils justes ?)</translation>
    </message>
    <message>
        <source>{repeated} of {pairs} frame pairs looked at are identical (first: {first} and {second})</source>
        <translation>{repeated} des {pairs} paires d'images regardées sont identiques (d'abord : {first} et {second})</translation>
    </message>
    <message>
        <source>margins that show nothing are left out: {sides}</source>
        <translation>les marges qui ne montrent rien sont laissées de côté : {sides}</translation>
    </message>
    <message>
        <source>something covers rows {top} to {bottom}, columns {left} to {right}: it is left out (a time stamp, a scale bar, an overexposed spot)</source>
        <translation>quelque chose couvre les lignes {top} à {bottom}, colonnes {left} à {right} : c'est laissé de côté (une heure, une échelle, une tache surexposée)</translation>
    </message>
    <message>
        <source>{share:.1%} of the picture shows nothing, dark or overexposed, and is left out</source>
        <translation>{share:.1%} de l'image ne montre rien, sombre ou surexposée, et est laissée de côté</translation>
    </message>
    <message>
        <source>{one}, {other}</source>
        <translation>{one}, {other}</translation>
    </message>
    <message>
        <source>this file was called {old} when it was written; a file of that name beside it is not read</source>
        <translation>ce fichier s'appelait {old} quand il a été écrit ; un fichier de ce nom à côté n'est pas lu</translation>
    </message>
    <message>
        <source>{name}: renamed since it was written: it belongs to {count} files, {some} and so on; give all of them their own names and put them into one folder</source>
        <translation>{name} : renommé depuis son écriture : il fait partie de {count} fichiers, {some} et ainsi de suite ; rendez-leur leurs noms et mettez-les dans un dossier</translation>
    </message>
    <message>
        <source>is another recording (its UUID is not the one named)</source>
        <translation>est un autre enregistrement (son UUID n'est pas celui nommé)</translation>
    </message>
    <message>
        <source>is another recording (it does not name this file)</source>
        <translation>est un autre enregistrement (il ne nomme pas ce fichier)</translation>
    </message>
    <message>
        <source>{n} beside it {reason}: its frames are left out</source>
        <translation>{n} à côté {reason} : ses images sont laissées de côté</translation>
    </message>
    <message>
        <source>cannot be read</source>
        <translation>ne peut pas être lu</translation>
    </message>
    <message>
        <source>{name}: part of a set that {described} describes; open {described}</source>
        <translation>{name} : fait partie d'un ensemble que {described} décrit ; ouvrez {described}</translation>
    </message>
    <message>
        <source>frames are in colour: they are shown in grey where colour is not asked for</source>
        <translation>les images sont en couleur : elles sont montrées en gris là où la couleur n'est pas demandée</translation>
    </message>
    <message>
        <source>{name}: is grey, the first frame is in colour; all must be alike</source>
        <translation>{name} : est gris, la première image est en couleur ; toutes doivent être pareilles</translation>
    </message>
    <message>
        <source>cannot open a {name} as a recording; give a path or a (T, Y, X) array</source>
        <translation>impossible d'ouvrir un {name} comme enregistrement ; donnez un chemin ou un tableau (T, Y, X)</translation>
    </message>
    <message>
        <source>frame {t} has another size or type than the first one; all must be alike</source>
        <translation>l'image {t} a une autre taille ou un autre type que la première ; toutes doivent être pareilles</translation>
    </message>
    <message>
        <source>{name} says {what} {found} {given}: give it if it is right</source>
        <translation>{name} dit : {what} {found} {given} ; saisissez-le si c'est juste</translation>
    </message>
    <message>
        <source>{path}: is no ordinary file; copy the recording into a file first</source>
        <translation>{path} : n'est pas un fichier ordinaire ; copiez d'abord l'enregistrement dans un fichier</translation>
    </message>
    <message>
        <source>{claim}, more than any microscope makes; the file is damaged, export it again</source>
        <translation>{claim}, plus qu'aucun microscope n'en fait ; le fichier est abîmé, réexportez-le</translation>
    </message>
    <message>
        <source>{claim}, but holds only {stored} bytes of one; the file is damaged, export it again</source>
        <translation>{claim}, mais ne contient que {stored} octets d'une seule ; le fichier est abîmé, réexportez-le</translation>
    </message>
    <message>
        <source>{name}: claims tiles of {count} pixels; the file is damaged, export it again</source>
        <translation>{name} : annonce des tuiles de {count} pixels ; le fichier est abîmé, réexportez-le</translation>
    </message>
    <message>
        <source>{name}: its OME metadata claim {planes:.3g} planes; the file is damaged, export it again</source>
        <translation>{name} : ses métadonnées OME annoncent {planes:.3g} plans ; le fichier est abîmé, réexportez-le</translation>
    </message>
    <message>
        <source>{name}: {what}: {fault}</source>
        <translation>{name} : {what} : {fault}</translation>
    </message>
    <message>
        <source>{name}: its OME metadata name a file in another folder ({other}); export it again</source>
        <translation>{name} : ses métadonnées OME nomment un fichier d'un autre dossier ({other}) ; réexportez-le</translation>
    </message>
    <message>
        <source>the pixel size is not known; the pattern of what moves is that of cells {measured:.2g} px wide</source>
        <translation>la taille du pixel n'est pas connue ; le motif de ce qui bouge est celui de cellules larges de {measured:.2g} px</translation>
    </message>
    <message>
        <source>working resolution {factor:g}: give auto, {smallest:g}, or a whole number from 1 to {largest}</source>
        <translation>échelle {factor:g} : donnez auto, {smallest:g}, ou un nombre entier de 1 à {largest}</translation>
    </message>
    <message>
        <source>a red cell of {red_cell_um:g} um is {cell:.3g} px wide at {um:.4g} um/px</source>
        <translation>un globule rouge de {red_cell_um:g} um est large de {cell:.3g} px à {um:.4g} um/px</translation>
    </message>
    <message>
        <source>{name}: a single frame; velocity needs a recording of two frames or more{hint}</source>
        <translation>{name} : une seule image ; la vitesse demande un enregistrement d'au moins deux images{hint}</translation>
    </message>
    <message>
        <source>{name}: axes '{axes}' name {count} axes, but the recording has {count_2}: {shape}</source>
        <translation>{name} : les axes '{axes}' en nomment {count}, mais l'enregistrement en a {count_2} : {shape}</translation>
    </message>
    <message>
        <source>{name}: {parts}: a recording has one picture per time point; save one plane or channel</source>
        <translation>{name} : {parts} : un enregistrement a une image par instant ; enregistrez un plan ou un canal</translation>
    </message>
    <message>
        <source>{name}: axis '{axis}' in '{axes}' is unknown; use T, Z, C, Y and X, such as TYX</source>
        <translation>{name} : l'axe '{axis}' dans '{axes}' est inconnu ; prenez T, Z, C, Y et X, comme TYX</translation>
    </message>
    <message>
        <source>{name}: axes '{axes}' must name Y and X, and each axis once, such as TYX</source>
        <translation>{name} : les axes '{axes}' doivent nommer Y et X, et chaque axe une fois, comme TYX</translation>
    </message>
    <message>
        <source>{name}: {count} axis of {shape}, no pictures; expected (T, Y, X)</source>
        <translation>{name} : {count} axe de {shape}, pas d'images ; (T, Y, X) est attendu</translation>
    </message>
    <message>
        <source>{name}: axes {axes} ({shape}) hold no pictures; expected (T, Y, X)</source>
        <translation>{name} : les axes {axes} ({shape}) n'ont pas d'images ; (T, Y, X) est attendu</translation>
    </message>
    <message>
        <source>{name}: colour (RGB) frames; convert to greyscale first (Fiji: Image &gt; Type &gt; 8-bit)</source>
        <translation>{name} : images en couleur (RGB) ; convertissez d'abord en niveaux de gris (Fiji : Image &gt; Type &gt; 8-bit)</translation>
    </message>
    <message>
        <source>{name}: {length} channels and one time point; a recording needs frames over time</source>
        <translation>{name} : {length} canaux et un seul instant ; il faut des images au cours du temps</translation>
    </message>
    <message>
        <source>{name}: {length} {called} ({letter}) and one time point; a recording needs frames over time (if these are its frames, say so: axes TYX)</source>
        <translation>{name} : {length} {called} ({letter}) et un seul instant ; il faut des images au cours du temps (si ce sont elles, dites-le : axes TYX)</translation>
    </message>
    <message>
        <source>{name}: empty recording ({shape})</source>
        <translation>{name} : enregistrement vide ({shape})</translation>
    </message>
    <message>
        <source>{length} {called} ({letter}) and one time point: {called} are read as frames</source>
        <translation>{length} {called} ({letter}) et un seul instant : {called} sont lus comme images successives</translation>
    </message>
    <message>
        <source>{name}: frames are {part}, in {name_2} {first}; these are not parts of one recording</source>
        <translation>{name} : les images sont {part}, dans {name_2} {first} ; ce ne sont pas les parties d'un enregistrement</translation>
    </message>
    <message>
        <source>a frame of {shape} px among frames of {shape_2} px; all must have one size</source>
        <translation>une image de {shape} px parmi des images de {shape_2} px ; toutes doivent avoir la même taille</translation>
    </message>
    <message>
        <source>pixels are not square ({x:.4g} x {y:.4g} um): resample the recording, or give one pixel size</source>
        <translation>les pixels ne sont pas carrés ({x:.4g} x {y:.4g} um) : rééchantillonnez l'enregistrement, ou donnez une taille de pixel</translation>
    </message>
    <message>
        <source>pixel size in '{unit}' ({where}) is not used, the unit is not known: give it in um per pixel</source>
        <translation>la taille du pixel en '{unit}' ({where}) n'est pas utilisée, l'unité est inconnue : donnez-la en um par pixel</translation>
    </message>
    <message>
        <source>frames are compressed by JPEG, which has changed what they show: measure from the original recording</source>
        <translation>les images sont compressées en JPEG, ce qui a changé ce qu'elles montrent : mesurez sur l'enregistrement d'origine</translation>
    </message>
    <message>
        <source>{name}: its metadata takes the frames from {name_2}, not from here: give it back the name it was written under, or move it into a folder of its own</source>
        <translation>{name} : ses métadonnées prennent les images de {name_2}, pas d'ici : rendez-lui le nom sous lequel il a été écrit, ou mettez-le dans son propre dossier</translation>
    </message>
    <message>
        <source>ImageJ tags disagree: finterval says {rate:g} Hz and is used, fps (speed of playing) {fps:g} Hz</source>
        <translation>les indications d'ImageJ se contredisent : finterval dit {rate:g} Hz et fait foi, fps (vitesse de lecture) {fps:g} Hz</translation>
    </message>
    <message>
        <source>time in '{unit}' ({where}) is not used, the unit is not known: give the frame rate in Hz</source>
        <translation>le temps en '{unit}' ({where}) n'est pas utilisé, l'unité est inconnue : donnez la cadence en Hz</translation>
    </message>
    <message>
        <source>{name}: time must come before Y and X in a TIFF file, not as in '{letters}'</source>
        <translation>{name} : dans un fichier TIFF le temps doit précéder Y et X, pas comme dans '{letters}'</translation>
    </message>
    <message>
        <source>{name}: truncated TIFF file, fewer than two frames are whole; copy it again</source>
        <translation>{name} : fichier TIFF tronqué, moins de deux images sont entières ; recopiez-le</translation>
    </message>
    <message>
        <source>{name}: frame {t} is in a file that is missing{files}; put it back beside this one</source>
        <translation>{name} : l'image {t} est dans un fichier qui manque{files} ; remettez-le à côté de celui-ci</translation>
    </message>
    <message>
        <source>{name}: not a TIFF file; export the recording as TIFF (Fiji: File &gt; Save As)</source>
        <translation>{name} : pas un fichier TIFF ; exportez l'enregistrement en TIFF (Fiji : File &gt; Save As)</translation>
    </message>
    <message>
        <source>ImageJ plays this at fps={fps:g}: an animation speed, not used as the frame rate of recording</source>
        <translation>ImageJ lit ceci à fps={fps:g} : une vitesse d'animation, qui n'est pas prise pour la cadence de l'enregistrement</translation>
    </message>
    <message>
        <source>{name}: the file is empty</source>
        <translation>{name} : le fichier est vide</translation>
    </message>
    <message>
        <source>the first {first} of {count} frames lie in files that are missing: frame 0 here is frame {first} there</source>
        <translation>les {first} premières images sur {count} sont dans des fichiers qui manquent : l'image 0 ici est l'image {first} là-bas</translation>
    </message>
    <message>
        <source>{name}: frame {t} is stored otherwise than frame 0 (compression, tiles, colours); save it again as one stack</source>
        <translation>{name} : l'image {t} est enregistrée autrement que l'image 0 (compression, tuiles, couleurs) ; enregistrez le tout à nouveau comme une seule pile</translation>
    </message>
    <message>
        <source>{by} pictures on axes without names: read as frames one after the other; save one if they are channels</source>
        <translation>{by} images sur des axes sans nom : lues comme images l'une après l'autre ; enregistrez-en une si ce sont des canaux</translation>
    </message>
    <message>
        <source>{name}: damaged TIFF file, its list of pictures leads back to itself; export it again</source>
        <translation>{name} : fichier TIFF abîmé, sa liste d'images revient sur elle-même ; réexportez-le</translation>
    </message>
    <message>
        <source>{name}: no pictures in this TIFF file</source>
        <translation>{name} : pas d'images dans ce fichier TIFF</translation>
    </message>
    <message>
        <source>{name}: its {depth} pictures are stored as one volume (ImageDepth {depth}), which is not read; save it as a plain TIFF of one page per frame (Fiji: File &gt; Save As &gt; Tiff)</source>
        <translation>{name} : ses {depth} images sont enregistrées comme un seul volume (ImageDepth {depth}), qui n'est pas lu ; enregistrez-le comme un TIFF simple d'une page par image (Fiji : File &gt; Save As &gt; Tiff)</translation>
    </message>
    <message>
        <source>{name}: unusual layout {axes} {shape}; save it again as a plain TIFF with Fiji</source>
        <translation>{name} : structure inhabituelle {axes} {shape} ; enregistrez-le de nouveau en TIFF simple avec Fiji</translation>
    </message>
    <message>
        <source>{name}: frames of different sizes or types: frame 0 is {first}, frame {t} is {own}</source>
        <translation>{name} : images de tailles ou de types différents : l'image 0 est {first}, l'image {t} est {own}</translation>
    </message>
    <message>
        <source>{name}: truncated or damaged TIFF file; copy or export it again</source>
        <translation>{name} : fichier TIFF tronqué ou abîmé ; recopiez-le ou réexportez-le</translation>
    </message>
    <message>
        <source>{name}: truncated TIFF file, fewer than two frames are whole; copy or export it again</source>
        <translation>{name} : fichier TIFF tronqué, moins de deux images sont entières ; recopiez-le ou réexportez-le</translation>
    </message>
    <message>
        <source>{count} more image series in the file are not read</source>
        <translation>{count} autres séries d'images du fichier ne sont pas lues</translation>
    </message>
    <message>
        <source>metadata list {listed} of {count} pictures in the file: the others are not read</source>
        <translation>les métadonnées nomment {listed} images sur {count} du fichier : les autres ne sont pas lues</translation>
    </message>
    <message>
        <source>file is truncated: {readable} frames are readable; copy or export it again to get the rest</source>
        <translation>le fichier est tronqué : {readable} images sont lisibles ; copiez-le ou exportez-le de nouveau pour avoir le reste</translation>
    </message>
    <message>
        <source>file is truncated: {readable} of {declared} frames are readable; copy or export it again to get the rest</source>
        <translation>le fichier est tronqué : {readable} images sur {declared} sont lisibles ; copiez-le ou exportez-le de nouveau pour avoir le reste</translation>
    </message>
    <message>
        <source>frame interval is declared as {declared:.6g} s, the frames' own times say {measured:.6g} s</source>
        <translation>l'intervalle déclaré entre images est de {declared:.6g} s, leurs propres temps disent {measured:.6g} s</translation>
    </message>
    <message>
        <source>frame times jump {late} times, first after frame {first}: frames were dropped there</source>
        <translation>les temps des images sautent {late} fois, d'abord après l'image {first} : des images y ont été perdues</translation>
    </message>
    <message>
        <source>frame times run backwards {count} times, first after frame {first}: check their order</source>
        <translation>les temps des images reculent {count} fois, d'abord après l'image {first} : vérifiez leur ordre</translation>
    </message>
    <message>
        <source>{repeated} of {count} frames repeat the one before: such pairs are left out, and velocities hold if the frame rate is that of the pictures that differ</source>
        <translation>{repeated} images sur {count} répètent la précédente : ces paires sont omises, et les vitesses valent si la cadence est celle des images différentes</translation>
    </message>
    <message>
        <source>frames are missing in 1 place, about {missing} in all: pairs across a gap are left out</source>
        <translation>des images manquent à 1 endroit, environ {missing} en tout : les paires à cheval sont omises</translation>
    </message>
    <message>
        <source>frames are missing in {gaps} places, about {missing} in all: pairs across a gap are left out</source>
        <translation>des images manquent à {gaps} endroits, environ {missing} en tout : les paires à cheval sont omises</translation>
    </message>
    <message>
        <source>variable frame rate: frames follow each other by {least:.3g} to {most:.3g} ms; export the recording with a constant one</source>
        <translation>cadence variable : les images se suivent à {least:.3g} à {most:.3g} ms ; exportez l'enregistrement à cadence constante</translation>
    </message>
    <message>
        <source>{name}: no pictures in this video file, or of a kind that cannot be decoded</source>
        <translation>{name} : pas d'images dans ce fichier vidéo, ou d'un type qui ne se décode pas</translation>
    </message>
    <message>
        <source>{name}: no frames in this video; it is empty or damaged</source>
        <translation>{name} : pas d'images dans cette vidéo ; elle est vide ou abîmée</translation>
    </message>
    <message>
        <source>{name}: axes of a video are TYX, not '{axes}'</source>
        <translation>{name} : les axes d'une vidéo sont TYX, pas '{axes}'</translation>
    </message>
    <message>
        <source>{name}: no frame of this video can be decoded; copy or export it again</source>
        <translation>{name} : aucune image de cette vidéo ne se décode ; recopiez-la ou réexportez-la</translation>
    </message>
    <message>
        <source>{name}: frame {t} cannot be decoded; the file may be damaged or truncated</source>
        <translation>{name} : l'image {t} ne se décode pas ; le fichier est peut-être abîmé ou tronqué</translation>
    </message>
    <message>
        <source>{name}: frame {at} is damaged; copy or export the video again</source>
        <translation>{name} : l'image {at} est abîmée ; recopiez ou réexportez la vidéo</translation>
    </message>
    <message>
        <source>{name}: frame {at} is {found} px, the first one {first}</source>
        <translation>{name} : l'image {at} fait {found} px, la première {first}</translation>
    </message>
    <message>
        <source>{name}: damaged, cut off, or no video of a kind that is known; export it again (AVI or MP4)</source>
        <translation>{name} : abîmé, tronqué, ou pas une vidéo d'un type connu ; réexportez-la (AVI ou MP4)</translation>
    </message>
    <message>
        <source>compressed by {codec}, which changes what frames show: measure from the original recording</source>
        <translation>compressé par {codec}, ce qui modifie les images : mesurez sur l'enregistrement d'origine</translation>
    </message>
    <message>
        <source>colour camera: frames are converted to grey</source>
        <translation>caméra couleur : les images sont converties en gris</translation>
    </message>
    <message>
        <source>interlaced video: odd and even rows are of different moments; record progressive pictures</source>
        <translation>vidéo entrelacée : lignes paires et impaires sont d'instants différents ; enregistrez des images progressives</translation>
    </message>
    <message>
        <source>pixels are not square ({ratio:.4g} times as wide as high): resample the recording</source>
        <translation>les pixels ne sont pas carrés ({ratio:.4g} fois plus larges que hauts) : rééchantillonnez l'enregistrement</translation>
    </message>
    <message>
        <source>{count} more video streams in the file are not read</source>
        <translation>{count} autres pistes vidéo du fichier ne sont pas lues</translation>
    </message>
    <message>
        <source>the first {skipped} frames cannot be decoded and are left out</source>
        <translation>les {skipped} premières images ne peuvent pas être décodées et sont laissées de côté</translation>
    </message>
    <message>
        <source>file is truncated: {count} of {declared} frames are readable; copy or export it again</source>
        <translation>le fichier est tronqué : {count} images sur {declared} sont lisibles ; copiez-le ou exportez-le à nouveau</translation>
    </message>
    <message>
        <source>{value:.3g} ({low:.3g} to {high:.3g})</source>
        <translation>{value:.3g} ({low:.3g} à {high:.3g})</translation>
    </message>
    <message>
        <source>px per 1000 px2 (no pixel size)</source>
        <translation>px par 1000 px2 (pas de taille de pixel)</translation>
    </message>
    <message>
        <source>; of vessels up to 20 um: {small}</source>
        <translation>; des vaisseaux jusqu'à 20 um : {small}</translation>
    </message>
    <message>
        <source>perfused vessel density: {all} {unit}{small}</source>
        <translation>densité des vaisseaux perfusés : {all} {unit}{small}</translation>
    </message>
    <message>
        <source>heterogeneity between the quarters of the field: {value:.2f}</source>
        <translation>hétérogénéité entre les quarts du champ : {value:.2f}</translation>
    </message>
    <message>
        <source>total vessel density and the proportion of perfused vessels are not given: a vessel in which nothing moves is not seen</source>
        <translation>la densité totale et la part des vaisseaux perfusés ne sont pas données : un vaisseau où rien ne bouge n'est pas vu</translation>
    </message>
    <message>
        <source>of {length:.0f} {unit} along the arrow</source>
        <translation>de {length:.0f} {unit} le long de la flèche</translation>
    </message>
    <message>
        <source>blood runs against itself</source>
        <translation>le sang va contre lui-même</translation>
    </message>
    <message>
        <source>the speed steps</source>
        <translation>la vitesse saute</translation>
    </message>
    <message>
        <source>at {place:.0f} {whole} {what}: {before:.3g} before, {after:.3g} {fast} after; two vessels, or a fork, under one name?</source>
        <translation>à {place:.0f} {whole} {what} : {before:.3g} avant, {after:.3g} {fast} après ; deux vaisseaux, ou une bifurcation, sous un seul nom ?</translation>
    </message>
    <message>
        <source>from {first:.0f} to {last:.0f} {whole} no blood is seen: does the line leave the vessel?</source>
        <translation>de {first:.0f} à {last:.0f} {whole} on ne voit pas de sang : la ligne quitte-t-elle le vaisseau ?</translation>
    </message>
    <message>
        <source>nothing along the line moves that the tissue beside it does not show as well: is there a vessel?</source>
        <translation>rien ne bouge le long de la ligne que le tissu voisin ne montre aussi : y a-t-il un vaisseau ?</translation>
    </message>
    <message>
        <source>only {share:.0%} of the frames have a velocity</source>
        <translation>seules {share:.0%} des images ont une vitesse</translation>
    </message>
    <message>
        <source>{share:.0%} of the frames are repeated or missing</source>
        <translation>{share:.0%} des images sont répétées ou manquent</translation>
    </message>
    <message>
        <source>on {share:.0%} of its length blood runs the other way: two vessels in one mask?</source>
        <translation>sur {share:.0%} de sa longueur le sang va dans l'autre sens : deux vaisseaux dans un masque ?</translation>
    </message>
    <message>
        <source>beside the middle of the lumen blood runs faster than in it: a second vessel in the mask?</source>
        <translation>à côté du milieu de la lumière le sang va plus vite qu'au milieu : un second vaisseau dans le masque ?</translation>
    </message>
    <message>
        <source>taken {change:+.0%} to the space-time diagram, whose two readings agree</source>
        <translation>ajusté de {change:+.0%} au diagramme espace-temps, dont les deux lectures s'accordent</translation>
    </message>
    <message>
        <source>the mask is expected to be right by {share:.0%} only: look at it</source>
        <translation>le masque ne devrait être juste qu'à {share:.0%} : regardez-le</translation>
    </message>
    <message>
        <source>the readings of the space-time diagram differ, or one cannot be read</source>
        <translation>les lectures du diagramme espace-temps diffèrent, ou l'une est illisible</translation>
    </message>
    <message>
        <source>flow and space-time diagram agree within {apart:.0%}</source>
        <translation>le flux et le diagramme espace-temps s'accordent à {apart:.0%} près</translation>
    </message>
    <message>
        <source>{share:.0%} of the frames have a velocity</source>
        <translation>{share:.0%} des images ont une vitesse</translation>
    </message>
    <message>
        <source>no readable space-time diagram confirms the flow</source>
        <translation>aucun diagramme espace-temps lisible ne confirme le flux</translation>
    </message>
    <message>
        <source>the pattern changes on its way: cells are hard to follow</source>
        <translation>le motif change en chemin : les cellules sont difficiles à suivre</translation>
    </message>
    <message>
        <source>the model expects errors of {scale:.0%} of the speed</source>
        <translation>le modèle attend des erreurs de {scale:.0%} de la vitesse</translation>
    </message>
    <message>
        <source>flow and space-time diagram differ by {nearest:.0%}</source>
        <translation>le flux et le diagramme espace-temps diffèrent de {nearest:.0%}</translation>
    </message>
    <message>
        <source>there is no velocity to judge</source>
        <translation>il n'y a pas de vitesse à juger</translation>
    </message>
    <message>
        <source>flow and space-time diagram differ by {apart:.0%}, in both ways of reading it</source>
        <translation>le flux et le diagramme espace-temps diffèrent de {apart:.0%}, dans les deux lectures</translation>
    </message>
    <message>
        <source>fewer than two of the three readings of the space-time diagram agree with the flow</source>
        <translation>moins de deux des trois lectures du diagramme espace-temps concordent avec le flux</translation>
    </message>
    <message>
        <source>two readings of the streaks agree within {apart:.0%}</source>
        <translation>deux lectures des traînées s'accordent à {apart:.0%} près</translation>
    </message>
    <message>
        <source>the line is {length:.0f} px long; draw at least {least:.0f} px along a vessel</source>
        <translation>la ligne fait {length:.0f} px ; tracez-en au moins {least:.0f} le long d'un vaisseau</translation>
    </message>
    <message>
        <source>for {share:.0%} of the time no streaks are seen: blood stood still, or no cells passed; not part of the mean</source>
        <translation>{share:.0%} du temps, aucune trace n'est visible : le sang était arrêté, ou aucune cellule n'est passée ; hors de la moyenne</translation>
    </message>
    <message>
        <source>the line turns back upon itself; draw it along a vessel in one direction</source>
        <translation>la ligne revient sur elle-même ; tracez-la le long d'un vaisseau dans un seul sens</translation>
    </message>
    <message>
        <source>no streaks stand out from the noise: nothing moves along this line, or too fast to be seen</source>
        <translation>aucune traînée ne se détache du bruit : rien ne bouge le long de cette ligne, ou trop vite pour être vu</translation>
    </message>
    <message>
        <source>no second reading of the streaks confirms the first</source>
        <translation>aucune seconde lecture des traînées ne confirme la première</translation>
    </message>
    <message>
        <source>only {share:.0%} of the windows agree</source>
        <translation>seules {share:.0%} des fenêtres s'accordent</translation>
    </message>
    <message>
        <source>only comparing rows can be read, and on a line this short that reads low</source>
        <translation>seule la comparaison des lignes est lisible, et sur une ligne si courte elle donne trop peu</translation>
    </message>
    <message>
        <source>{share:.0%} of the windows agree</source>
        <translation>{share:.0%} des fenêtres s'accordent</translation>
    </message>
    <message>
        <source>two readings of the streaks differ by {apart:.0%}</source>
        <translation>deux lectures des traînées diffèrent de {apart:.0%}</translation>
    </message>
    <message>
        <source>{before} and {last}</source>
        <translation>{before} et {last}</translation>
    </message>
    <message>
        <source>measured in segments: {labels}</source>
        <translation>mesuré par segments : {labels}</translation>
    </message>
    <message>
        <source>good</source>
        <translation>bonne</translation>
    </message>
    <message>
        <source>fair</source>
        <translation>moyenne</translation>
    </message>
    <message>
        <source>poor</source>
        <translation>faible</translation>
    </message>
    <message>
        <source>unusable</source>
        <translation>inutilisable</translation>
    </message>
    <message>
        <source>direction doubtful</source>
        <translation>sens douteux</translation>
    </message>
    <message>
        <source>hardly moves</source>
        <translation>bouge à peine</translation>
    </message>
    <message>
        <source>faint</source>
        <translation>faible contraste</translation>
    </message>
    <message>
        <source>unsharp</source>
        <translation>flou</translation>
    </message>
    <message>
        <source>tissue jumps</source>
        <translation>tissu qui saute</translation>
    </message>
    <message>
        <source>overexposed</source>
        <translation>surexposé</translation>
    </message>
    <message>
        <source>lost frames</source>
        <translation>images perdues</translation>
    </message>
    <message>
        <source>too short</source>
        <translation>trop court</translation>
    </message>
    <message>
        <source>vessel lost</source>
        <translation>vaisseau perdu</translation>
    </message>
    <message>
        <source>branch</source>
        <translation>fourche</translation>
    </message>
    <message>
        <source>marked twice</source>
        <translation>marqué deux fois</translation>
    </message>
    <message>
        <source>two speeds</source>
        <translation>deux vitesses</translation>
    </message>
    <message>
        <source>gap in line</source>
        <translation>trou dans la ligne</translation>
    </message>
    <message>
        <source>width unsure</source>
        <translation>largeur incertaine</translation>
    </message>
    <message>
        <source>cut off</source>
        <translation>coupé</translation>
    </message>
    <message>
        <source>methods differ</source>
        <translation>méthodes en désaccord</translation>
    </message>
    <message>
        <source>not finished</source>
        <translation>pas fini</translation>
    </message>
    <message>
        <source>fork unbalanced</source>
        <translation>fourche déséquilibrée</translation>
    </message>
    <message>
        <source>no scale</source>
        <translation>sans échelle</translation>
    </message>
    <message>
        <source>cells move more than half the distance at which they repeat, so that the direction may be mistaken</source>
        <translation>les cellules avancent de plus de la moitié de la distance où elles se répètent, le sens peut donc être confondu</translation>
    </message>
    <message>
        <source>cells move less per frame than can be told from standing still</source>
        <translation>les cellules avancent moins par image que ce qui se distingue de l'immobilité</translation>
    </message>
    <message>
        <source>cells stand out little from the noise</source>
        <translation>les cellules se détachent peu du bruit</translation>
    </message>
    <message>
        <source>part of the recording is less sharp than the rest</source>
        <translation>une partie de l'enregistrement est moins nette que le reste</translation>
    </message>
    <message>
        <source>the tissue jumps between frames</source>
        <translation>le tissu saute entre les images</translation>
    </message>
    <message>
        <source>part of the vessel is over- or underexposed</source>
        <translation>une partie du vaisseau est sur- ou sous-exposée</translation>
    </message>
    <message>
        <source>frames are repeated or missing</source>
        <translation>des images sont répétées ou manquent</translation>
    </message>
    <message>
        <source>the vessel or the recording is too short</source>
        <translation>le vaisseau ou l'enregistrement est trop court</translation>
    </message>
    <message>
        <source>the vessel is not seen in part of the recording, or nowhere</source>
        <translation>le vaisseau n'est pas vu dans une partie de l'enregistrement, ou nulle part</translation>
    </message>
    <message>
        <source>the vessel branches or lies over another one</source>
        <translation>le vaisseau se divise ou passe sur un autre</translation>
    </message>
    <message>
        <source>most of its mask belongs to another marked vessel as well: one vessel under two numbers</source>
        <translation>son masque appartient surtout aussi à un autre vaisseau marqué : un vaisseau sous deux numéros</translation>
    </message>
    <message>
        <source>speed or direction changes abruptly along the length: two vessels, or a fork, under one name</source>
        <translation>vitesse ou sens change brusquement le long du vaisseau : deux vaisseaux, ou une fourche, sous un nom</translation>
    </message>
    <message>
        <source>no blood is seen along part of the line: the clicks may lie on different vessels</source>
        <translation>aucun sang n'est vu sur une partie de la ligne : les clics sont peut-être sur des vaisseaux différents</translation>
    </message>
    <message>
        <source>the width is not sure: mask and pictures differ, or the walls do not stand out</source>
        <translation>la largeur n'est pas sûre : masque et images diffèrent, ou les parois se détachent mal</translation>
    </message>
    <message>
        <source>the image border cuts along the vessel</source>
        <translation>le bord de l'image coupe le vaisseau en long</translation>
    </message>
    <message>
        <source>flow and space-time diagram disagree</source>
        <translation>flux et diagramme espace-temps sont en désaccord</translation>
    </message>
    <message>
        <source>the run is not finished: these are the frames so far</source>
        <translation>la mesure n'est pas finie : ce sont les images jusqu'ici</translation>
    </message>
    <message>
        <source>more flows into a fork than out, or less: a width or velocity is wrong, or a vessel not marked</source>
        <translation>plus de sang entre dans une fourche qu'il n'en sort, ou moins : une largeur ou vitesse est fausse, ou un vaisseau n'est pas marqué</translation>
    </message>
    <message>
        <source>pixel size or frame rate is unknown, so that there is no um/s</source>
        <translation>la taille de pixel ou le taux d'images est inconnu, il n'y a donc pas de um/s</translation>
    </message>
    <message>
        <source>Tables (CSV)</source>
        <translation>Tableaux (CSV)</translation>
    </message>
    <message>
        <source>Workbook (Excel)</source>
        <translation>Classeur (Excel)</translation>
    </message>
    <message>
        <source>Figures</source>
        <translation>Figures</translation>
    </message>
    <message>
        <source>Masks</source>
        <translation>Masques</translation>
    </message>
    <message>
        <source>Space-time images</source>
        <translation>Images espace-temps</translation>
    </message>
    <message>
        <source>Film</source>
        <translation>Film</translation>
    </message>
</context>
</TS>
