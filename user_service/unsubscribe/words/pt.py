"""Portuguese, in words that readers in Portugal and in Brazil both use."""

from user_service.unsubscribe.words.shape import Words

PORTUGUESE = Words(
    title="Mensagens de {sender}",
    leave_heading="Cancelar a inscrição",
    leave_category="Recebe mensagens de {sender} sobre “{category}”.",
    leave_channel="Recebe mensagens de {sender} por {channel}.",
    leave_address="{sender} envia mensagens para {address}.",
    leave_button="Cancelar a inscrição",
    left_heading="A inscrição foi cancelada",
    left_category="{sender} não enviará mais nada sobre “{category}”.",
    left_channel="{sender} não enviará mais nada por {channel}, exceto o que é essencial.",
    left_address="{sender} não enviará mais nada para {address}, nem mesmo códigos e recibos.",
    left_everything="{sender} não enviará mais nada, exceto o que é essencial.",
    return_button="Voltar a receber",
    returned_heading="A inscrição está de novo ativa",
    returned_category="Recebe mensagens de {sender} sobre “{category}”.",
    returned_channel="Recebe mensagens de {sender} por {channel}.",
    returned_address="{sender} pode voltar a enviar mensagens para {address}.",
    saved_heading="As suas escolhas foram guardadas",
    saved_text="Valem a partir da próxima mensagem.",
    essential_heading="Estas mensagens são essenciais",
    essential_text="“{category}” chega a todas as pessoas que têm uma conta em {sender}, por isso "
    "não é possível cancelar. Abaixo pode escolher o que mais recebe.",
    stopped_heading="Nada é enviado para este endereço",
    stopped_text="As mensagens para {address} foram devolvidas ou interrompidas por outro motivo. "
    "Só {sender} pode voltar a permiti-las.",
    gone_heading="Não está na lista",
    gone_text="Este link já não corresponde a ninguém, por isso nada mais será enviado. Não "
    "precisa de fazer nada.",
    suppressed="Neste momento nada é enviado para {address} por {channel}, seja qual for a sua "
    "escolha aqui.",
    choose_heading="O que recebe",
    choose_hint="Escolha o que {sender} pode enviar, e como.",
    channels_legend="Como entrar em contacto",
    channels_hint="O que se desativa aqui vale para tudo o resto, exceto o que é essencial.",
    save_button="Guardar as minhas escolhas",
    always_heading="Enviado sempre",
    always_hint="É essencial e chega seja qual for a sua escolha aqui.",
    everything_heading="Cancelar tudo",
    everything_text="Depois disso, {sender} só enviará o que é essencial.",
    everything_button="Cancelar tudo",
    channels={
        "email": "e-mail",
        "sms": "SMS",
        "whatsapp": "WhatsApp",
        "push": "notificação push",
    },
    built_in={
        "otp": "Códigos de uso único",
        "security": "Segurança",
        "transactional": "Pedidos e a sua conta",
    },
)
