//! The words of the menu and of the tray, in the system's language.

/// One language of the menu.
pub(crate) struct MenuText {
    pub(crate) is_chinese: bool,
    pub(crate) file: &'static str,
    pub(crate) open_in_browser: &'static str,
    pub(crate) quit: &'static str,
    pub(crate) show: &'static str,
    pub(crate) edit: &'static str,
    pub(crate) cut: &'static str,
    pub(crate) copy: &'static str,
    pub(crate) paste: &'static str,
    pub(crate) select_all: &'static str,
    pub(crate) view: &'static str,
    pub(crate) reload: &'static str,
    pub(crate) zoom_in: &'static str,
    pub(crate) zoom_out: &'static str,
    pub(crate) actual_size: &'static str,
    pub(crate) full_screen: &'static str,
    pub(crate) safe_rendering: &'static str,
    pub(crate) help: &'static str,
    pub(crate) api_pages: &'static str,
}

const ENGLISH: MenuText = MenuText {
    is_chinese: false,
    file: "File",
    open_in_browser: "Open in browser",
    quit: "Quit Runicorn",
    show: "Show Runicorn",
    edit: "Edit",
    cut: "Cut",
    copy: "Copy",
    paste: "Paste",
    select_all: "Select all",
    view: "View",
    reload: "Reload",
    zoom_in: "Zoom in",
    zoom_out: "Zoom out",
    actual_size: "Actual size",
    full_screen: "Full screen",
    safe_rendering: "Draw without the graphics card (restarts)",
    help: "Help",
    api_pages: "API reference",
};

const CHINESE: MenuText = MenuText {
    is_chinese: true,
    file: "文件",
    open_in_browser: "在浏览器中打开",
    quit: "退出 Runicorn",
    show: "显示 Runicorn",
    edit: "编辑",
    cut: "剪切",
    copy: "复制",
    paste: "粘贴",
    select_all: "全选",
    view: "视图",
    reload: "重新加载",
    zoom_in: "放大",
    zoom_out: "缩小",
    actual_size: "实际大小",
    full_screen: "全屏",
    safe_rendering: "不使用显卡绘制（将重新启动）",
    help: "帮助",
    api_pages: "API 参考",
};

impl MenuText {
    /// The words for a locale name such as `zh-CN`; English for all that is not Chinese.
    pub(crate) fn for_locale(locale: &str) -> &'static Self {
        if locale.to_ascii_lowercase().starts_with("zh") {
            &CHINESE
        } else {
            &ENGLISH
        }
    }

    /// The words for this system.
    pub(crate) fn of_system() -> &'static Self {
        Self::for_locale(&sys_locale::get_locale().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chinese_system_gets_chinese_menus_and_others_english() {
        for (locale, expected) in [
            ("zh-CN", "文件"),
            ("zh_TW", "文件"),
            ("en-US", "File"),
            ("de", "File"),
            ("", "File"),
        ] {
            assert_eq!(MenuText::for_locale(locale).file, expected, "{locale}");
        }
    }
}
