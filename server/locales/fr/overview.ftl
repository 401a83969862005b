# Vue d’ensemble.

overview-title = Vue d’ensemble
overview-summary = { $one } suivis, état au { $two }
overview-states = État du parc
overview-severity-critical = urgents
overview-severity-warning = à prévoir
overview-status-pending = en attente
overview-status-active = en service
overview-status-quarantined = mis à l’écart
overview-status-revoked = révoqués
overview-status-released = sortis du parc
overview-archived = archivés
overview-waiting = demandent à entrer
overview-todo = Ce qui demande quelqu’un aujourd’hui
overview-flagged = signalé
overview-todo-all = Tout voir
overview-todo-none = Rien n’attend. Bonne journée !
overview-heard = Derniers contacts
heard-fresh = Aujourd’hui ou hier
heard-week = Cette semaine
heard-month = Ces 30 jours
heard-older = Plus ancien
heard-never = Jamais vus
overview-codes = Signalements ouverts
overview-codes-none = Aucun signalement ouvert.
overview-hours = Contacts par heure
overview-hours-label = { $count ->
    [one] Contacts pendant la dernière heure
   *[other] Contacts par heure, { $count } dernières heures
}
overview-hours-peak = { $count ->
    [one] au plus { $count } contact
   *[other] au plus { $count } contacts
}
overview-hour = Heure
overview-check-ins = Contacts
overview-reports = Relevés
