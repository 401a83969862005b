# Page du système graphique.

design-title = Système graphique
design-intro = Tous les composants de la console, pour les contrôler d’un coup d’œil.
design-badges = Marques
design-figures = Chiffres
design-buttons = Boutons et champs
design-notices = Messages
design-charts = Graphiques
