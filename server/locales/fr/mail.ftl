# Les courriels aux familles, aux établissements et aux personnes. Les espaces insécables sont posées par le programme.

greeting = Bonjour,
closing-family = En cas de difficulté, parlez-en à votre établissement ou répondez à ce message.
closing-site = Merci de transmettre aux personnes concernées ce qui les concerne.
automatic = Message envoyé par Cartable, qui suit les prêts d'appareils. Il ne contient le nom d'aucun bénéficiaire.

subject-due-on = { $count ->
    [one] Appareil prêté : à rendre le { $date }
   *[other] { $count } appareils prêtés : à rendre le { $date }
}
subject-due = { $count ->
    [one] Appareil prêté : date de retour
   *[other] { $count } appareils prêtés : dates de retour
}
subject-overdue = { $count ->
    [one] Appareil prêté : retour en retard
   *[other] { $count } appareils prêtés : retour en retard
}
subject-campaign = { $count ->
    [one] Restitution de votre appareil prêté
   *[other] Restitution de { $count } appareils prêtés
}
subject-unreachable = { $count ->
    [one] Une famille à prévenir
   *[other] { $count } prêts : familles à prévenir
}
subject-handed-over = { $count ->
    [one] Remise d'un appareil prêté
   *[other] Remise de { $count } appareils prêtés
}
subject-returned = { $count ->
    [one] Restitution enregistrée
   *[other] Restitution de { $count } appareils enregistrée
}
subject-several = Appareils prêtés : { $count } informations
subject-test = Cartable : message d'essai

about-due = { $count ->
    [one] Un appareil qui vous est prêté, ou dont votre établissement répond, est à rendre :
   *[other] Des appareils qui vous sont prêtés, ou dont votre établissement répond, sont à rendre :
}
about-overdue = { $count ->
    [one] Un appareil devrait déjà être rendu. Merci de le rapporter dès que possible, ou de nous dire ce qui l'empêche :
   *[other] Des appareils devraient déjà être rendus. Merci de les rapporter dès que possible, ou de nous dire ce qui l'empêche :
}
about-campaign = { $title } : { $count ->
    [one] l'appareil suivant est à rapporter
   *[other] les appareils suivants sont à rapporter
} entre le { $first } et le { $last }. Lieu : { $place }.
about-unreachable = { $count ->
    [one] Le bénéficiaire de ce prêt n'a pas d'adresse électronique qui fonctionne. Merci de le prévenir :
   *[other] Les bénéficiaires de ces prêts n'ont pas d'adresse électronique qui fonctionne. Merci de les prévenir :
}
about-handed-over = { $count ->
    [one] Cet appareil a été remis :
   *[other] Ces appareils ont été remis :
}
about-returned = { $count ->
    [one] Cet appareil a été rendu. Merci.
   *[other] Ces appareils ont été rendus. Merci.
}
about-test = Ce message prouve que Cartable sait envoyer des courriels par ce serveur.

device = Appareil
mark-label = étiquette { $value }
mark-serial = numéro de série { $value }
line-due = , à rendre le { $date }
line-missing = . Il manquait : { $what }

table-label = Étiquette
table-serial = Numéro de série
table-due = À rendre le
table-borrower = Bénéficiaire

weekday-1 = lundi
weekday-2 = mardi
weekday-3 = mercredi
weekday-4 = jeudi
weekday-5 = vendredi
weekday-6 = samedi
weekday-7 = dimanche

month-1 = janvier
month-2 = février
month-3 = mars
month-4 = avril
month-5 = mai
month-6 = juin
month-7 = juillet
month-8 = août
month-9 = septembre
month-10 = octobre
month-11 = novembre
month-12 = décembre
