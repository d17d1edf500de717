from accsearch.report.html import Html, join, table, tag


def test_text_is_escaped_and_html_is_not():
    assert tag("b", "1 < 2 & 3", Html("<i>x</i>")) == "<b>1 &lt; 2 &amp; 3<i>x</i></b>"


def test_attributes_are_escaped_and_renamed():
    assert tag("a", class_='"x"', stroke_width=2, id=None) == '<a class="&quot;x&quot;" stroke-width="2"></a>'


def test_an_attribute_may_be_called_name():
    assert tag("meta", name="viewport") == '<meta name="viewport">'


def test_numeric_columns_are_set_right():
    assert '<td class="n">1</td>' in table(["a", "b"], [["x", 1]], numeric=[1])


def test_join_keeps_html_and_escapes_the_rest():
    assert join([tag("i"), "<"]) == "<i></i>&lt;"
