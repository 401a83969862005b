# The design system’s page.

design-title = Design system
design-intro = All components of the console, to check them at a glance.
design-badges = Badges
design-figures = Figures
design-buttons = Buttons and fields
design-notices = Messages
design-charts = Charts
