"""Spanish."""

from user_service.unsubscribe.words.shape import Words

SPANISH = Words(
    title="Mensajes de {sender}",
    leave_heading="Darse de baja",
    leave_category="Recibe mensajes de {sender} sobre «{category}».",
    leave_channel="Recibe mensajes de {sender} por {channel}.",
    leave_address="{sender} envía mensajes a {address}.",
    leave_button="Darme de baja",
    left_heading="Se ha dado de baja",
    left_category="{sender} no le enviará nada más sobre «{category}».",
    left_channel="{sender} no le enviará nada más por {channel}, salvo lo esencial.",
    left_address="{sender} no enviará nada más a {address}, ni siquiera códigos o recibos.",
    left_everything="{sender} no le enviará nada más, salvo lo esencial.",
    return_button="Volver a suscribirme",
    returned_heading="Vuelve a estar suscrito",
    returned_category="Recibe mensajes de {sender} sobre «{category}».",
    returned_channel="Recibe mensajes de {sender} por {channel}.",
    returned_address="{sender} puede volver a enviar mensajes a {address}.",
    saved_heading="Sus preferencias se han guardado",
    saved_text="Valen a partir del próximo mensaje.",
    essential_heading="Estos mensajes son esenciales",
    essential_text="«{category}» llega a todas las personas que tienen una cuenta en {sender}, por "
    "lo que no es posible darse de baja. Más abajo puede elegir qué más recibe.",
    stopped_heading="No se envía nada a esta dirección",
    stopped_text="Los mensajes a {address} fueron devueltos o se detuvieron por otro motivo. Solo "
    "{sender} puede volver a permitirlos.",
    gone_heading="No está en la lista",
    gone_text="Este enlace ya no corresponde a nadie, así que no se le enviará nada más. No tiene "
    "que hacer nada.",
    suppressed="Ahora mismo no se envía nada a {address} por {channel}, elija lo que elija aquí.",
    choose_heading="Lo que recibe",
    choose_hint="Elija qué puede enviarle {sender}, y cómo.",
    channels_legend="Cómo contactarle",
    channels_hint="Lo que se desactiva aquí vale para todo lo demás, salvo lo esencial.",
    save_button="Guardar mis preferencias",
    always_heading="Se envía siempre",
    always_hint="Es esencial y le llega elija lo que elija aquí.",
    everything_heading="Darse de baja de todo",
    everything_text="Después, {sender} solo le enviará lo esencial.",
    everything_button="Darme de baja de todo",
    channels={
        "email": "correo electrónico",
        "sms": "SMS",
        "whatsapp": "WhatsApp",
        "push": "notificación push",
    },
    built_in={
        "otp": "Códigos de un solo uso",
        "security": "Seguridad",
        "transactional": "Pedidos y su cuenta",
    },
)
