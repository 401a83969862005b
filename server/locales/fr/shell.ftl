# Cadre des pages, connexion, erreurs, mots communs.

skip-to-content = Aller au contenu
nav-label = Navigation principale
nav-pages = Pages de cette rubrique
nav-fleet = Parc
nav-lending = Prêts
nav-running = Organisation
nav-overview = Vue d’ensemble
nav-devices = Appareils
nav-flags = À traiter
nav-tokens = Jetons d’enrôlement
nav-waiting = Demandes d’entrée
nav-exports = Exports
nav-imports = Imports
nav-borrowers = Bénéficiaires
nav-programmes = Dispositifs
nav-notices = Courriels
nav-audit = Journal
language-name = Français
sign-out = Se déconnecter
footer = Cartable ne mesure que l’état du matériel : ni position, ni fichiers, ni navigation, ni ce qu’on y fait, ni combien de temps. Le serveur voit tout de même quand un ordinateur donne de ses nouvelles.
sign-in-title = Connexion
sign-in-intro = L’état du parc de portables prêtés.
sign-in-login = Identifiant
sign-in-password = Mot de passe
sign-in-send = Se connecter
sign-in-wrong = Identifiant ou mot de passe incorrect.
sign-in-throttled = { $count ->
    [one] Trop d’essais. Réessayez dans { $count } seconde.
   *[other] Trop d’essais. Réessayez dans { $count } secondes.
}
sign-in-busy = Le serveur est occupé. Réessayez dans un instant.
error-home = Retour à la vue d’ensemble
error-status = Erreur { $value }
error-title-nonsense = Demande incompréhensible
error-title-forbidden = Action non permise
error-title-not-found = Page introuvable
error-title-busy = Serveur occupé
error-title-broken = Erreur du serveur
error-what-nonsense = L’adresse ou le formulaire contient une valeur inconnue. Repartez de la liste.
error-what-forbidden = Votre rôle ne permet pas cette action. Demandez à une personne administratrice.
error-what-not-found = Cette adresse ne mène à rien que vous puissiez voir.
error-what-busy = La base de données ne répond pas assez vite. Réessayez dans un instant ; rien n’a été changé.
error-what-broken = Quelque chose s’est mal passé de notre côté. Rien n’a été changé. Si cela se répète, prévenez la personne qui administre le serveur.
any = Tous
filter = Filtrer
filter-none = Tout afficher
save = Enregistrer
reason = Motif
first-page = Début de la liste
next-page = Page suivante
pages-label = Pages
more-than = Plus de { $value }
as-table = Voir le tableau
never = Jamais
none = Aucun
absent = absent
not-read = Non lu
done-saved = Enregistré.
done-token-revoked = Le jeton est révoqué.
moment-exact = { $one } à { $two }
moment-now = à l’instant
minutes-ago = { $count ->
    [one] il y a { $count } minute
   *[other] il y a { $count } minutes
}
hours-ago = { $count ->
    [one] il y a { $count } heure
   *[other] il y a { $count } heures
}
days-ago = { $count ->
    [one] il y a { $count } jour
   *[other] il y a { $count } jours
}
minutes-ahead = { $count ->
    [one] dans { $count } minute
   *[other] dans { $count } minutes
}
hours-ahead = { $count ->
    [one] dans { $count } heure
   *[other] dans { $count } heures
}
days-ahead = { $count ->
    [one] dans { $count } jour
   *[other] dans { $count } jours
}
hours = { $count ->
    [one] { $count } heure
   *[other] { $count } heures
}
seconds = { $count ->
    [one] { $count } seconde
   *[other] { $count } secondes
}
