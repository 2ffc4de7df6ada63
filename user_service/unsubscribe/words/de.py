"""German."""

from user_service.unsubscribe.words.shape import Words

GERMAN = Words(
    title="Nachrichten von {sender}",
    leave_heading="Abmelden",
    leave_category="Sie erhalten von {sender} Nachrichten zum Thema „{category}“.",
    leave_channel="Sie erhalten von {sender} Nachrichten per {channel}.",
    leave_address="{sender} schickt Nachrichten an {address}.",
    leave_button="Abmelden",
    left_heading="Sie sind abgemeldet",
    left_category="{sender} schickt Ihnen nichts mehr zum Thema „{category}“.",
    left_channel="{sender} schickt Ihnen nichts mehr per {channel}, außer was unverzichtbar ist.",
    left_address="{sender} schickt nichts mehr an {address}, auch keine Codes und Belege.",
    left_everything="{sender} schickt Ihnen nichts mehr, außer was unverzichtbar ist.",
    return_button="Wieder anmelden",
    returned_heading="Sie sind wieder angemeldet",
    returned_category="Sie erhalten von {sender} Nachrichten zum Thema „{category}“.",
    returned_channel="Sie erhalten von {sender} Nachrichten per {channel}.",
    returned_address="{sender} darf wieder Nachrichten an {address} schicken.",
    saved_heading="Ihre Auswahl ist gespeichert",
    saved_text="Sie gilt ab der nächsten Nachricht.",
    essential_heading="Diese Nachrichten sind unverzichtbar",
    essential_text="„{category}“ geht an alle, die ein Konto bei {sender} haben; davon kann man "
    "sich nicht abmelden. Was Sie sonst erhalten, können Sie unten auswählen.",
    stopped_heading="An diese Adresse wird nichts geschickt",
    stopped_text="Nachrichten an {address} kamen zurück oder wurden aus einem anderen Grund "
    "gestoppt. Nur {sender} kann sie wieder zulassen.",
    gone_heading="Sie stehen nicht auf der Liste",
    gone_text="Wir kennen unter diesem Link niemanden mehr; es wird Ihnen also nichts mehr "
    "geschickt. Sie müssen nichts weiter tun.",
    suppressed="An {address} wird per {channel} zurzeit nichts geschickt, gleich was Sie hier "
    "auswählen.",
    choose_heading="Was Sie erhalten",
    choose_hint="Wählen Sie, was {sender} Ihnen schicken darf, und auf welchem Weg.",
    channels_legend="Wie wir Sie erreichen",
    channels_hint="Was hier aus ist, ist es auch für alles Weitere, außer was unverzichtbar ist.",
    save_button="Auswahl speichern",
    always_heading="Wird immer geschickt",
    always_hint="Das ist unverzichtbar und erreicht Sie, gleich was Sie hier auswählen.",
    everything_heading="Von allem abmelden",
    everything_text="Danach schickt Ihnen {sender} nur noch, was unverzichtbar ist.",
    everything_button="Von allem abmelden",
    channels={
        "email": "E-Mail",
        "sms": "SMS",
        "whatsapp": "WhatsApp",
        "push": "Push-Nachricht",
    },
    built_in={
        "otp": "Einmalcodes",
        "security": "Sicherheit",
        "transactional": "Bestellungen und Ihr Konto",
    },
)
