# Campagnes de restitution.

nav-campaigns = Campagnes
campaigns-title = Campagnes de restitution
campaigns-intro = Reprendre de nombreux appareils en quelques jours : qui, quand, à quel guichet, et ce qui manque encore.
campaigns-none = Aucune campagne.
campaigns-caption = Campagnes, de la plus récente à la plus ancienne
campaign-new = Prévoir une campagne
campaign-plan = Prévoir
campaign-name = Nom
campaign-days = Jours
campaign-first = Premier jour
campaign-last = Dernier jour
campaign-window = du { $one } au { $two }
campaign-leaving = Seulement les élèves qui partent : 3e, ou établissement déjà quitté
campaign-desks = Guichets par établissement
campaign-slots = Restitutions par guichet et par jour
campaign-own-desks = Guichets propres à un établissement
campaign-set-desks = Enregistrer les guichets
campaign-run = Déroulement
campaign-start = Démarrer
campaign-start-hint = Chaque prêt choisi reçoit un jour et un guichet, et son bénéficiaire un courrier. Personne ne vient un jour sans classe.
campaign-close = Clore la campagne
campaign-progress = Avancement par établissement
campaign-state-planned = Prévue
campaign-state-running = En cours
campaign-state-closed = Close
campaign-loans = { $count ->
    [one] { $count } prêt
   *[other] { $count } prêts
}
campaign-loans-title = Prêts de la campagne
campaign-loans-none = Aucun prêt dans cet état.
campaign-day = Rendez-vous
campaign-due = Échéance
campaign-desk-slot = guichet { $one }, n° { $two }
campaign-excuse = Excuser
campaign-problem-name = Donnez un nom de 1 à 80 caractères.
campaign-problem-window = Le dernier jour vient après le premier.
campaign-problem-too-long = Une campagne dure 366 jours au plus : choisissez un dernier jour plus proche.
campaign-problem-past = Le dernier jour de la campagne est passé : choisissez d’autres jours avant de la démarrer.
campaign-problem-desks = 1 à 20 guichets, 1 à 1 000 restitutions par jour chacun.
campaign-problem-choice = Un des choix n’existe pas.
campaign-problem-not-planned = La campagne a déjà démarré.
campaign-problem-no-loans = Aucun prêt en cours ne correspond au choix, ou une autre campagne les attend déjà tous.
campaign-problem-too-few = { $one } : il manque { $two } places. Ajoutez un guichet ou des jours.
return-expected = Attendus
return-returned = Rendus
return-overdue = En retard
return-excused = Excusés
return-ended = Perdus, volés, sortis
campaign-open-flags = Signalements ouverts
csv-desk = Guichet
csv-slot = Numéro de passage
campaign-choice-hint = Quels prêts reprendre. Une liste où rien n’est coché les prend tous.
campaign-choose = Choisir
campaign-programmes = Dispositifs
campaign-levels = Niveaux
campaign-sites = Établissements
campaign-of-sites = { $count ->
    [one] { $count } établissement
   *[other] { $count } établissements
}
campaign-no-contact = Aucun attendu
campaign-leaving-only = élèves qui partent
campaign-edit = Modifier
campaign-save = Enregistrer
campaign-drop = Abandonner la campagne
campaign-write-again = Écrire à nouveau à ceux qu’on attend
campaign-write-again-hint = Un rappel par e-mail aux bénéficiaires dont l’appareil n’est pas revenu, une fois par jour au plus. Ceux dont le courrier précédent n’est pas encore parti n’en reçoivent pas d’autre.
campaign-expect = Attendre à nouveau
campaign-letters = Courriers à imprimer
campaign-letters-hint = Une page par appareil encore attendu, dans la langue du bénéficiaire : pour les familles sans e-mail.
campaign-letters-make = Courriers (PDF)
campaign-problem-not-running = La campagne n’est pas en cours.
campaign-problem-written-today = Ceux qu’on attend ont déjà reçu un courrier aujourd’hui.
campaign-problem-over = Le dernier jour de la campagne est passé : les rappels d’échéance continuent.
campaign-problem-no-letters = Plus aucun appareil n’est attendu ici.
