// The emoji that people and the Director use most, by Slack's names. What isn't here stays the text it was.

const NAMES = `
+1 👍|thumbsup 👍|-1 👎|thumbsdown 👎|clap 👏|wave 👋|pray 🙏|muscle 💪|eyes 👀|ok_hand 👌|raised_hands 🙌|point_right 👉|point_left 👈|point_up ☝️
smile 😄|grin 😁|smiley 😃|blush 😊|slightly_smiling_face 🙂|wink 😉|joy 😂|sweat_smile 😅|thinking_face 🤔|neutral_face 😐|cry 😢|sob 😭|scream 😱|sunglasses 😎|heart_eyes 😍|face_with_rolling_eyes 🙄|sleeping 😴|nerd_face 🤓|partying_face 🥳
heart ❤️|broken_heart 💔|star ⭐|sparkles ✨|fire 🔥|boom 💥|zap ⚡|tada 🎉|rocket 🚀|trophy 🏆|medal 🏅|dart 🎯|bulb 💡|100 💯
white_check_mark ✅|heavy_check_mark ✔️|x ❌|warning ⚠️|no_entry ⛔|no_entry_sign 🚫|rotating_light 🚨|question ❓|exclamation ❗|information_source ℹ️|bangbang ‼️|sos 🆘
large_green_circle 🟢|large_yellow_circle 🟡|large_orange_circle 🟠|red_circle 🔴|large_blue_circle 🔵|white_circle ⚪|black_circle ⚫|large_green_square 🟩|large_yellow_square 🟨|large_red_square 🟥
chart_with_upwards_trend 📈|chart_with_downwards_trend 📉|bar_chart 📊|calendar 📅|date 📅|spiral_calendar_pad 🗓️|alarm_clock ⏰|hourglass ⌛|hourglass_flowing_sand ⏳|stopwatch ⏱️|clock9 🕘
memo 📝|pencil ✏️|pencil2 ✏️|clipboard 📋|book 📖|books 📚|page_facing_up 📄|link 🔗|paperclip 📎|pushpin 📌|mag 🔍|lock 🔒|unlock 🔓|key 🔑|bell 🔔|no_bell 🔕|email 📧|inbox_tray 📥|outbox_tray 📤|package 📦
wrench 🔧|hammer 🔨|hammer_and_wrench 🛠️|gear ⚙️|construction 🚧|robot_face 🤖|computer 💻|desktop_computer 🖥️|floppy_disk 💾|electric_plug 🔌|satellite 🛰️|shield 🛡️|bug 🐛|ladybug 🐞|test_tube 🧪|microscope 🔬|ship 🚢|anchor ⚓|fire_engine 🚒|ambulance 🚑
arrow_up ⬆️|arrow_down ⬇️|arrow_right ➡️|arrow_left ⬅️|arrow_upper_right ↗️|arrow_lower_right ↘️|arrows_counterclockwise 🔄|repeat 🔁|heavy_plus_sign ➕|heavy_minus_sign ➖|small_blue_diamond 🔹|small_orange_diamond 🔸
coffee ☕|beer 🍺|pizza 🍕|cake 🍰|sunny ☀️|cloud ☁️|rainbow 🌈|snowflake ❄️|earth_africa 🌍|seedling 🌱|turtle 🐢|snail 🐌|crown 👑|man-shrugging 🤷‍♂️|woman-shrugging 🤷‍♀️|shrug 🤷|busts_in_silhouette 👥|bust_in_silhouette 👤|speech_balloon 💬|thought_balloon 💭|mega 📣|loudspeaker 📢
`;

const MAP = new Map(
  NAMES.trim()
    .split(/[|\n]/)
    .map((entry) => entry.split(" ")),
);

/** The character for a shortcode without its colons, or null. */
export function emoji(name) {
  return MAP.get(name) ?? null;
}
