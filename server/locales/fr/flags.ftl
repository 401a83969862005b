# Signalements.

flags-title = Signalements à traiter
flags-found = { $count ->
    [one] { $count } signalement
   *[other] { $count } signalements
}
flags-none = Aucun signalement ne correspond.
flags-caption = Signalements, les plus graves puis les plus récents d’abord
flags-severity = Niveau
flags-what = Signalement
flags-device = Appareil
flags-handling = Traitement
flags-code = Signalement
handling-waiting = Qui attendent quelqu’un
handling-acknowledged = Pris en compte
handling-snoozed = Mis en sommeil
handling-all = Tous les ouverts
flag-about = { $one } · { $two }
flag-since = Depuis
flag-value = Valeur
flag-threshold = Seuil
flag-source = Source du seuil
flag-measured = Mesuré
flag-missing = Ce qui manque
flag-handle = Traiter
flag-how = Comment
flag-acknowledge = Prendre en compte
flag-snooze = { $count ->
    [one] Mettre en sommeil { $count } jour
   *[other] Mettre en sommeil { $count } jours
}
flag-acknowledged = Pris en compte
flag-snoozed-until = En sommeil jusqu’au { $value }
flag-remark = { $one } ({ $two })
flag-remark-by = { $one }, { $two }
flag-period = du { $one } au { $two }
flag-past = { $one }, { $two }
