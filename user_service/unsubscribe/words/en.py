"""English."""

from user_service.unsubscribe.words.shape import Words

ENGLISH = Words(
    title="Messages from {sender}",
    leave_heading="Unsubscribe",
    leave_category="You receive messages about “{category}” from {sender}.",
    leave_channel="You receive messages by {channel} from {sender}.",
    leave_address="{sender} sends messages to {address}.",
    leave_button="Unsubscribe",
    left_heading="You are unsubscribed",
    left_category="{sender} will send you nothing more about “{category}”.",
    left_channel="{sender} will send you nothing more by {channel}, except what is essential.",
    left_address="{sender} will send nothing more to {address}, not even codes and receipts.",
    left_everything="{sender} will send you nothing more, except what is essential.",
    return_button="Subscribe again",
    returned_heading="You are subscribed again",
    returned_category="You receive messages about “{category}” from {sender}.",
    returned_channel="You receive messages by {channel} from {sender}.",
    returned_address="{sender} may send messages to {address} again.",
    saved_heading="Your choices are saved",
    saved_text="They hold from the next message on.",
    essential_heading="These messages are essential",
    essential_text="“{category}” reaches everybody who has an account with {sender}, so there is "
    "nothing to unsubscribe from. You can choose what else you receive below.",
    stopped_heading="Nothing is sent to this address",
    stopped_text="Messages to {address} came back, or were stopped for another reason. Only "
    "{sender} can allow them again.",
    gone_heading="You are not on the list",
    gone_text="We know nobody by this link any more, so nothing more is sent because of it. There "
    "is nothing that you have to do.",
    suppressed="Nothing is sent to {address} by {channel} at present, whatever you choose here.",
    choose_heading="What you receive",
    choose_hint="Choose what {sender} may send you, and how.",
    channels_legend="Ways to reach you",
    channels_hint="What is off here is off for everything below, except what is essential.",
    save_button="Save my choices",
    always_heading="Always sent",
    always_hint="These are essential, so they reach you whatever you choose here.",
    everything_heading="Unsubscribe from everything",
    everything_text="One press, and {sender} sends you only what is essential.",
    everything_button="Unsubscribe from everything",
    channels={
        "email": "email",
        "sms": "SMS",
        "whatsapp": "WhatsApp",
        "push": "push notification",
    },
    built_in={
        "otp": "One-time codes",
        "security": "Security",
        "transactional": "Orders and your account",
    },
)
