# Examens, et ce que la famille lit sur l’ordinateur.

nav-exams = Examens
exams-title = Examens
exams-explained = Pendant un examen, les ordinateurs des établissements choisis ne contactent pas le serveur et n’interrogent pas leurs disques. Ils l’apprennent à leur dernier contact avant le début, et se taisent donc un peu plus tôt. Un ordinateur resté éteint jusque-là l’apprend en un contact, dans la minute de son démarrage.
exams-none = Aucun examen annoncé.
exams-found = { $count ->
    [one] { $count } examen
   *[other] { $count } examens
}
exams-caption = Examens en cours, puis à venir, puis passés
exam-label = Libellé
exam-label-hint = Par exemple « brevet blanc, épreuve 1 »
exam-site = Établissement
exam-everywhere = Tous les établissements
exam-begins = Début
exam-ends = Fin
exam-state = État
exam-state-coming = À venir
exam-state-current = En cours
exam-state-past = Passé
exam-by = par { $value }
exam-end-now = Terminer maintenant
exam-end-hint = Les ordinateurs qui connaissent déjà la fin prévue s’y tiennent.
exam-remove = Retirer
exam-new = Annoncer un examen
exam-new-hint = 12 heures au plus : une journée d’épreuves à la fois. Annoncez-le la veille ; une annonce est suivie en 10 secondes par tous les serveurs.
exam-day = Jour
exam-from = De
exam-to = À
exam-sites = Établissements
exam-sites-hint = Sans choix : tous les établissements.
exam-sites-needed = Choisissez un ou plusieurs de vos établissements.
exam-choose = Choisir
exam-order = Annoncer
exam-problem-label = Donnez un libellé de 1 à 80 caractères.
exam-problem-time = Donnez un jour et deux heures, comme 08:00 et 12:00.
exam-problem-left-out = Cette heure n’existe pas : l’heure d’été commence cette nuit-là, on passe de 2 h à 3 h.
exam-problem-backwards = La fin vient avant le début.
exam-problem-too-long = Un examen dure 12 heures au plus : annoncez chaque journée.
exam-problem-past = Cet examen est déjà passé.
exam-problem-site = Un de ces établissements n’est pas parmi les vôtres.
disclosure-title = Ce que la famille lit
disclosure-explained = Affiché sur l’ordinateur par « Ce que cet ordinateur dit », avec le dernier relevé envoyé. Réglé dans config.toml, section [documents].
disclosure-organisation = Qui
disclosure-organisation-none = Ce qui a été dit à l’installation, sinon « l’organisme qui prête cet ordinateur »
disclosure-contact = À qui écrire
disclosure-contact-none = Ce qui a été dit à l’installation, sinon « la personne qui a remis l’ordinateur, ou l’établissement »
disclosure-until = Jusqu’à quand
disclosure-until-none = Tant que l’ordinateur est prêté
