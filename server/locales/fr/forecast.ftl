# Appareils qui seront prêts à une date.

nav-forecast = Prévision
forecast-title = Prévision des appareils prêts
forecast-intro = Mille futurs possibles sont joués à partir des prêts, de l’atelier, de son rythme et des pièces d’aujourd’hui. Poser la question ne change rien.
forecast-ready = Prêts
forecast-ready-donate = à donner
forecast-ready-lend = à prêter
forecast-target = Combien
forecast-by = D’ici le
forecast-seed = Graine
forecast-seed-hint = la même donne la même réponse
forecast-ask = Prévoir
forecast-answer = Réponse
forecast-chance = Chances
forecast-now = Prêts aujourd’hui
forecast-wanted = voulu : { $value }
forecast-chart = Appareils prêts, d’aujourd’hui au { $value }
forecast-chart-ends = Le dernier jour, neuf futurs sur dix se trouvent entre { $one } et { $two }.
forecast-chart-middle = Celui du milieu : { $value }.
forecast-key-outer = neuf futurs sur dix
forecast-key-inner = un sur deux
forecast-key-middle = celui du milieu
forecast-key-target = voulu
forecast-table = Les chiffres, semaine par semaine
forecast-day = Jour
forecast-below = { $value } % au-dessous
forecast-limits = Ce qui freine
forecast-limits-how = Chaque ligne retire un frein aux cent premiers futurs : des mains sans limite, des prêts tous rendus à leur jour, des pièces commandées aujourd’hui.
forecast-limits-now = Avec tous les freins, dans les mêmes cent : { $one }, celui du milieu { $two }.
forecast-without = Sans ce frein
forecast-middle = Appareils, celui du milieu
forecast-bottleneck = frein principal
forecast-parts = Pièces à commander
forecast-parts-none = L’étagère suffit aux appareils attendus d’ici là.
forecast-quantity = À commander
forecast-on-shelf = Sur l’étagère pour ce modèle
forecast-price-all = Total (€)
forecast-price-estimated = prix estimé
forecast-other-models = autres modèles
forecast-rests = Ce sur quoi elle repose
forecast-rests-units = { $count ->
    [one] { $count } appareil qui peut devenir prêt
   *[other] { $count } appareils qui peuvent devenir prêts
}
forecast-rests-returns = { $count ->
    [one] { $count } retour observé
   *[other] { $count } retours observés
}
forecast-rests-orders = { $count ->
    [one] { $count } ordre clos
   *[other] { $count } ordres clos
}
forecast-rests-pace = atelier : { $one } minutes par jour ouvré ; jours où son rythme se voyait : { $two }
forecast-rests-runs = { $one } futurs, graine { $two }
forecast-more = Il y a plus d’appareils qu’une prévision n’en regarde : la réponse est trop basse.
forecast-not-known = Là où l’on a peu vu, les suppositions de la politique en tiennent lieu (section [forecast] de policy.toml). Ne sont pas prévus : les pièces déjà commandées, celles prises sur d’autres appareils, les campagnes pas encore lancées, les appareils remis avant cette date.
forecast-problem-ready = Prêts à donner, ou à prêter.
forecast-problem-target = Combien : un nombre entier de 1 à 100 000.
forecast-problem-by = D’ici le : un jour après aujourd’hui, d’ici un an.
forecast-problem-seed = La graine est un nombre entier.
parts-wanting = Pièce à commander : ce qui manque aujourd’hui à l’atelier
parts-wanting-line = { $one } × { $two }
parts-forecast = Ce qui manquera d’ici une date : voir la prévision
parts-wanting-none = Rien ne manque.
