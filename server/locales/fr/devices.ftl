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

# Une demande à tous les ordinateurs d’une liste.

orders-many = Demandes à ces ordinateurs
orders-which = Demande
orders-which-hint = Le journal d’un agent se demande sur la page de son appareil : on y lit un ordinateur, pas un parc.
orders-due-by = À rendre au plus tard le
orders-due-by-hint = Pour un avis de retour ; sans jour, tous les prêts qui ont une date de retour. Chaque avis dit celle de son prêt.
orders-place-hint = Pour un avis de retour ; sans lieu, le nom de l’établissement de chacun.
orders-preview = Voir ce qui se passerait
orders-would = Recevraient la demande : { $one } sur { $two }
orders-did = Demandé : { $one } sur { $two }
orders-left = Laissés de côté
orders-left-line = { $one } · { $two }
orders-nobody = Aucun ordinateur ne recevrait la demande.
orders-too-many = On demande à 1 000 appareils au plus à la fois : resserrez le filtre, par un établissement ou un modèle, ou demandez à l’administration.
orders-no-log = Le journal d’un agent se demande sur la page de son appareil, pas à plusieurs.
orders-too-much = Un jour et un lieu vont avec un avis de retour seulement.
orders-place-wrong = Le lieu a 80 caractères au plus, sans < ni >.
left-out-not_in_service = Pas en service, ou aux archives
left-out-no_agent = Aucun agent ne parle pour l’appareil
left-out-already = La même demande attend déjà
left-out-not_lent = Pas prêtés : personne ne lirait l’avis
left-out-other_day = Prêtés sans date de retour qu’un avis puisse dire
left-out-not_due = À rendre plus tard
left-out-no_place = Sans établissement dont le nom dirait où les rapporter : donnez un lieu
left-out-changed = La situation a changé depuis l’aperçu
left-out-before = Déjà demandé par ce même formulaire
