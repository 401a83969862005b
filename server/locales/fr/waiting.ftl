# Demandes d’entrée : les machines qui attendent l’accord d’une personne.

waiting-title = Demandes d’entrée
waiting-intro = Ces machines ont demandé à entrer dans le parc et attendent votre accord. Choisissez-en, voyez ce qui se passerait, puis décidez.
waiting-found = { $count ->
    [one] { $count } demande
   *[other] { $count } demandes
}
waiting-none = Aucune machine n’attend.
waiting-caption = Demandes d’entrée, de la plus ancienne à la plus récente
waiting-machine = Machine
waiting-why = Raison de l’attente
waiting-effect = Si vous l’admettez
waiting-since = Demande depuis
waiting-last-asked = dernière demande le { $value }
waiting-lapses = { $count ->
    [one] expire dans { $count } jour si elle ne redemande pas
   *[other] expire dans { $count } jours si elle ne redemande pas
}
waiting-no-serial = Sans numéro de série
waiting-token = Jeton « { $value } »
waiting-lost-key = Elle nomme la clé perdue de { $value } ; cela ne prouve rien
waiting-lost-key-elsewhere = Elle nomme la clé perdue d’un appareil d’un autre établissement ; cela ne prouve rien
waiting-state = { $one } · { $two }
waiting-heard = dernier contact
waiting-never-heard = jamais de contact
waiting-effect-new = Un nouvel appareil entre dans le parc
waiting-effect-first = L’appareil { $value } reçoit sa première clé
waiting-effect-replaces = La clé de l’appareil { $value } est remplacée
waiting-effect-renews = L’appareil { $value } reçoit un nouveau certificat pour sa clé
waiting-lifts-quarantined = Cet appareil a été mis à l’écart : votre accord le remet en service.
waiting-lifts-revoked = Cet appareil est révoqué : votre accord lève la révocation et le remet en service.
waiting-lifts-released = Cet appareil était sorti du parc : votre accord le remet en service.
waiting-preview-chosen = Voir ce qui se passerait
waiting-preview-page = Voir pour toute la page
waiting-preview-title = Avant de décider
waiting-preview-intro = Rien n’est encore fait. Voici ce que ferait exactement votre accord.
waiting-preview-summary = Admissions possibles : { $one } sur { $two }
waiting-decided-intro = Une partie seulement a pu être faite. Rien n’est perdu : ce qui attend encore est dans la liste.
waiting-decided-summary = Faites : { $one } sur { $two }
waiting-outcome = Résultat
waiting-possible = Peut entrer
waiting-already-explained = Quelqu’un a décidé entre-temps.
waiting-approve = Admettre
waiting-refuse = Refuser
waiting-refuse-reason = Raison du refus
waiting-refuse-hint = Elle figure au journal. La machine reste refusée avec sa clé ; un nouvel enrôlement redemande.
waiting-none-chosen = Choisissez au moins une machine.
waiting-too-many = On décide de 100 machines au plus à la fois.
waits-for-replacement = Appareil déjà connu
waits-for-unlisted_serial = Numéro de série non enregistré
waits-for-spent_token = Jeton épuisé ou expiré
waits-for-other_site = Machine enregistrée dans un autre établissement que celui du jeton
waits-for-recovery = Certificat expiré depuis longtemps ou trop souvent
waits-for-cloned_key = Clé d’une autre machine
hindrance-given_away = Cet appareil a été donné : il n’est plus au parc.
hindrance-elsewhere = Cette machine est un appareil d’un autre établissement, que vous ne voyez pas.
hindrance-twice = Une autre machine de ce choix dit être le même appareil : décidez pour chacune séparément.
hindrance-serial_taken = L’appareil prendrait le numéro de série d’un autre : corrigez d’abord l’un des deux, ou refusez la machine.
decided-approved = Admise
decided-refused = Refusée
decided-already = Déjà décidé
decided-changed = La situation a changé depuis l’aperçu
decided-impossible = Ne peut pas entrer
