# Liste des appareils.

devices-title = Appareils
devices-found = { $count ->
    [one] { $count } appareil
   *[other] { $count } appareils
}
devices-search = Rechercher
devices-search-hint = Série, modèle, étiquette, collège…
devices-none = Aucun appareil ne correspond.
devices-caption = Appareils, triés par { $value }
devices-serial = Numéro de série
devices-model = Modèle
devices-site = Établissement
devices-status = État
devices-flags = Signalements
devices-flag = Signalement
devices-severity = Niveau
devices-archived = Archives
devices-contact = Dernier contact
archived-without = Exclues
archived-only = Seulement
archived-all = Comprises
archived = Archivé
sorted-serial = numéro de série
sorted-model = modèle
sorted-site = établissement
sorted-severity = gravité
sorted-contact = dernier contact
no-site = Sans établissement
no-flag = Aucun
unknown-model = Modèle inconnu
site-place = { $one } · { $two }
site-named = { $one } ({ $two })
csv-asset-tag = Étiquette
csv-uai = UAI
