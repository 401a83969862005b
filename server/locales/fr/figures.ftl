# Les chiffres d’une année ; les phrases elles-mêmes viennent de domain/figures/said.rs.
nav-figures = Chiffres
figures-of = Chiffres { $value }
figures-list-title = { $one } · { $two }
figures-report-pdf = Rapport PDF
figures-report-xlsx = Classeur (XLSX)
figures-main = Chiffres principaux
figures-year = Année
figures-show = Afficher
figures-number = Chiffre
figures-devices = Appareils
figures-how = Comment il est compté, et ce qu’il contient
figures-part = – { $one } : { $two }
figures-models = Rendement et coût par modèle
figures-no-models = Aucun ordre clos cette année-là.
figures-model-unknown = Modèle inconnu
figures-orders = Ordres
figures-relend = À reprêter
figures-donate = À donner
figures-parts = Pour pièces
figures-recycle = À recycler
figures-yield = Rendement
figures-cost = Coût par appareil remis en état
figures-limits = À lire avec ces chiffres
figures-fingerprint = Empreinte des chiffres :
figures-no-target = Aucun objectif cette année-là
figures-target-undefined = Objectif { $value }, part non définie
figures-target-reached = Objectif { $value } atteint
figures-target-missed = Objectif { $value } non atteint
figures-list-none = Aucun appareil.
figures-day = Jour
figures-event = Événement
figures-age = Âge
figures-cost-of-order = Coût
figures-left-out = Non compté : { $value }
figures-reformed-on = Réformé le { $value }
figures-bought = Acheté : { $value }
figures-minutes =
    { $count ->
        [one] { $count } minute d’atelier
       *[other] { $count } minutes d’atelier
    }
