# Besoins des établissements.

nav-needs = Besoins
needs-title = Besoins
needs-intro = Ce que les établissements demandent, un appareil par besoin. Les motifs sont des codes : jamais de texte sur un enfant.
needs-found = { $count ->
    [one] { $count } besoin
   *[other] { $count } besoins
}
needs-none = Aucun besoin ne correspond.
needs-caption = Besoins, du plus récent au plus ancien
needs-totals = Totaux par établissement et dispositif
need-new = Saisir des besoins
need-enter = Saisir
need-entered = Saisi
need-withdraw = Retirer
need-nothing-to-choose = Il faut d’abord un établissement et un dispositif ouvert.
need-state-label = État
need-state-open = En attente
need-state-met = Satisfait
need-state-withdrawn = Retiré
need-level-label = Niveau
need-level-6e = 6e
need-level-5e = 5e
need-level-4e = 4e
need-level-3e = 3e
need-level-ulis = ULIS
need-level-segpa = SEGPA
need-level-staff = Personnel
need-level-other = Autre
need-reason-label = Motifs de priorité
need-reason-ulis = Élève d’un dispositif ULIS
need-reason-no_computer = Aucun ordinateur à la maison
need-reason-shared = Ordinateur partagé par la fratrie
need-reason-band_1 = Bourse, échelon 1
need-reason-band_2 = Bourse, échelon 2
need-reason-band_3 = Bourse, échelon 3
need-reason-replacement = Remplace un appareil en panne, perdu ou volé
need-no-reason = Aucun
need-not-said = Non précisé
need-home = À la maison
need-band = Bourse de collège
need-borrower = Référence du bénéficiaire
need-borrower-hint = Facultative, comme B-7K3M-Q2ZD
need-count = Nombre
need-count-hint = Plusieurs besoins identiques, sans référence
need-problem-site = Choisissez un de vos établissements.
need-problem-programme = Choisissez un dispositif ouvert.
need-problem-borrower = Aucun bénéficiaire de cet établissement n’a cette référence.
need-problem-count = Saisissez 1 à 500 besoins à la fois, un seul avec une référence.
need-problem-form = Un des choix n’existe pas, ou deux s’excluent.
need-change = Modifier
need-change-title = Modifier un besoin
need-problem-not-open = Le besoin n’est plus ouvert.
need-problem-proposed = Une proposition en attente d’approbation donne un appareil à ce besoin : son dispositif ne change pas avant la décision.
