"""French."""

from user_service.unsubscribe.words.shape import Words

FRENCH = Words(
    title="Messages de {sender}",
    leave_heading="Se désabonner",
    leave_category="Vous recevez de {sender} des messages sur « {category} ».",
    leave_channel="Vous recevez de {sender} des messages par {channel}.",
    leave_address="{sender} envoie des messages à {address}.",
    leave_button="Se désabonner",
    left_heading="Vous êtes désabonné(e)",
    left_category="{sender} ne vous enverra plus rien sur « {category} ».",
    left_channel="{sender} ne vous enverra plus rien par {channel}, sauf l’essentiel.",
    left_address="{sender} n’enverra plus rien à {address}, pas même des codes et des reçus.",
    left_everything="{sender} ne vous enverra plus rien, sauf l’essentiel.",
    return_button="Se réabonner",
    returned_heading="Vous êtes de nouveau abonné(e)",
    returned_category="Vous recevez de {sender} des messages sur « {category} ».",
    returned_channel="Vous recevez de {sender} des messages par {channel}.",
    returned_address="{sender} peut de nouveau envoyer des messages à {address}.",
    saved_heading="Vos choix sont enregistrés",
    saved_text="Ils s’appliquent dès le prochain message.",
    essential_heading="Ces messages sont essentiels",
    essential_text="« {category} » s’adresse à tous ceux qui ont un compte chez {sender} : il "
    "n’est pas possible de s’en désabonner. Vous pouvez choisir ci-dessous ce que vous recevez "
    "d’autre.",
    stopped_heading="Rien n’est envoyé à cette adresse",
    stopped_text="Les messages à {address} sont revenus ou ont été arrêtés pour une autre raison. "
    "Seul {sender} peut les autoriser à nouveau.",
    gone_heading="Vous n’êtes pas sur la liste",
    gone_text="Ce lien ne désigne plus personne : plus rien ne vous sera envoyé à ce titre. Vous "
    "n’avez rien à faire.",
    suppressed="Rien n’est envoyé à {address} par {channel} en ce moment, quels que soient vos "
    "choix ici.",
    choose_heading="Ce que vous recevez",
    choose_hint="Choisissez ce que {sender} peut vous envoyer, et comment.",
    channels_legend="Comment vous joindre",
    channels_hint="Ce qui est désactivé ici l’est aussi pour tout ce qui suit, sauf l’essentiel.",
    save_button="Enregistrer mes choix",
    always_heading="Toujours envoyé",
    always_hint="C’est essentiel et vous parvient, quels que soient vos choix ici.",
    everything_heading="Se désabonner de tout",
    everything_text="Ensuite, {sender} ne vous enverra plus que l’essentiel.",
    everything_button="Se désabonner de tout",
    channels={
        "email": "e-mail",
        "sms": "SMS",
        "whatsapp": "WhatsApp",
        "push": "notification push",
    },
    built_in={
        "otp": "Codes à usage unique",
        "security": "Sécurité",
        "transactional": "Commandes et votre compte",
    },
)
