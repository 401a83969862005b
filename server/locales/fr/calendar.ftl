# Calendrier scolaire.

nav-calendar = Calendrier scolaire
calendar-title = Calendrier scolaire
calendar-explained = Les vacances ne sont pas un silence : sans classe, aucune alerte et aucun rappel. Les années 2025-2026 et 2026-2027 sont connues du programme ; les suivantes viennent des fichiers iCalendar du ministère (education.gouv.fr).
calendar-until = Connu jusqu’au
calendar-imported = Jours sans classe importés
calendar-none = Rien n’a été importé.
calendar-caption = Jours sans classe importés, par zone et par date
calendar-holiday = Vacances
calendar-days = Jours
calendar-source = Fichier
calendar-from-to = du { $one } au { $two }
calendar-import = Importer un fichier du ministère
calendar-file = Fichier
calendar-file-hint = .ics, 1 Mio au plus
calendar-of = Zone du fichier
calendar-of-hint = Un fichier national nomme la zone de chaque période
calendar-all-zones = Toutes celles que le fichier nomme
calendar-look = Voir ce qui changerait
calendar-preview = Ce qui changerait
calendar-zone-year = Zone { $one }, année { $two }
calendar-what = Effet
calendar-change-new = Nouveau
calendar-change-moved = Déplacé
calendar-change-same = Déjà importé
calendar-change-gone = Retiré
calendar-before = était : { $value }
calendar-count-new = { $count ->
    [one] { $count } nouvelle période
   *[other] { $count } nouvelles périodes
}
calendar-count-moved = { $count ->
    [one] { $count } déplacée
   *[other] { $count } déplacées
}
calendar-count-same = { $count ->
    [one] { $count } déjà importée
   *[other] { $count } déjà importées
}
calendar-count-gone = { $count ->
    [one] { $count } retirée
   *[other] { $count } retirées
}
calendar-keep = Enregistrer ce calendrier
calendar-keep-hint = Les alertes, les rappels et les dates de retour proposées le suivent aussitôt.
calendar-nothing-new = Ce fichier ne change rien : tout est déjà importé.
calendar-no-file = Choisissez un fichier.
calendar-line = Ligne { $one } : { $two }
calendar-fault-too-large = le fichier dépasse 1 Mio, ce n’est pas un calendrier scolaire.
calendar-fault-no-calendar = ce n’est pas un fichier iCalendar (.ics), qui commence par BEGIN:VCALENDAR.
calendar-fault-cut-off = le fichier est incomplet. Téléchargez-le de nouveau.
calendar-fault-not-begun = une période finit sans avoir commencé.
calendar-fault-repeats = une période qui se répète n’est pas du calendrier du ministère.
calendar-fault-no-whole-day = « { $value } » n’est pas un jour entier.
calendar-fault-no-first-day = « { $value } » n’a pas de premier jour.
calendar-fault-backwards = « { $value } » finit avant d’avoir commencé.
calendar-fault-too-long = « { $value } » dure plus de 75 jours : une date est fausse.
calendar-fault-no-holidays = aucune période de vacances pour la zone { $value } dans ce fichier.
