"""Common names of scripts without vowels, each with ways to spell it in Latin letters."""
# ruff: noqa: RUF001  # these letters are the subject


def _table(lines: str) -> dict[str, tuple[str, ...]]:
    entries = (entry.split() for entry in lines.replace("\n", ";").split(";"))
    return {entry[0]: tuple(entry[1:]) for entry in entries if entry}


ARABIC = _table("""
محمد Mohammed Muhammad Mohamed Mouhamed Muhammet; أحمد Ahmed Ahmad Ahmet; علي Ali Aly Alee
محمود Mahmoud Mahmud Mahmood; حسن Hassan Hasan Hassen
حسين Hussein Husain Hossein Hocine Hussain; إبراهيم Ibrahim Ebrahim
يوسف Yousef Yusuf Youssef Yousuf Yossef; عمر Omar Umar Omer Oumar
عثمان Othman Osman Uthman Usman; خالد Khalid Khaled Haled; سعيد Saeed Said Saied; سعد Saad Sad
طارق Tariq Tarek Tarik Tareq; وليد Walid Waleed Oualid; كريم Karim Kareem Kerim
سمير Samir Sameer; سالم Salem Salim; سليم Salim Saleem Selim
سليمان Sulaiman Suleiman Soliman Slimane Suleyman; صالح Saleh Salih Salah; صلاح Salah
جمال Jamal Gamal Djamal Cemal; جميل Jamil Jameel Gamil Cemil; جعفر Jaafar Jafar Gaafar Cafer
عبدالله Abdullah Abdallah Abdulla Abdellah
عبدالرحمن Abdulrahman Abdelrahman Abdurrahman Abderrahmane
عبدالعزيز Abdulaziz Abdelaziz Abdul-Aziz; عبدالكريم Abdulkarim Abdelkrim Abdul-Kareem
عبدالقادر Abdulqader Abdelkader; عبده Abdo Abdou Abduh
عبدالسلام Abdulsalam Abdessalam Abdussalam; عبدالمجيد Abdulmajeed Abdelmajid Abdulmecid
عبدالحميد Abdulhamid Abdelhamid; عبداللطيف Abdullatif Abdellatif
عبدالناصر Abdelnasser Abdennacer; حميد Hamid Hameed; حامد Hamed Hamid; مجيد Majid Majeed
ماجد Majed Maged Majid; أمين Amin Ameen Amine; ياسين Yassin Yasin Yassine Yacine Yaseen
ياسر Yasser Yasir Yaser; ناصر Nasser Nasir Naser Nacer; نصر Nasr; منصور Mansour Mansoor Mansur
مسعود Masoud Massoud Mesut Masood; مصطفى Mustafa Mostafa Moustapha; مراد Murad Mourad Mrad
مروان Marwan Marouane Merwan; مالك Malek Malik; ملك Malik Malak; معاذ Muadh Moaz Mouad
معاوية Muawiya Mouawiya; مهدي Mahdi Mehdi; موسى Musa Mousa Moussa Moosa
عيسى Isa Issa Eisa Essa Aissa; يحيى Yahya Yehia Yahia; زكريا Zakaria Zakariya Zakariyya
هارون Harun Haroun Haroon; داود Dawood Daoud Dawud Daud; إسماعيل Ismail Ismael Esmail Ismaeel
إسحاق Ishaq Ishak Eshaq; يعقوب Yaqoub Yaqub Yacoub Yakoub; أيوب Ayoub Ayyub Ayub
إدريس Idris Idriss; إلياس Elias Ilyas Elyas Ilias; نوح Nuh Nouh; آدم Adam Adem
لقمان Luqman Lokman Loqman; حمزة Hamza Hamzah; أسامة Osama Usama Oussama; أنس Anas Anass
بلال Bilal Belal; زيد Zaid Zayd Zeid; زياد Ziad Ziyad Zeyad; رياض Riad Riyad Riyadh
رضا Reda Rida Ridha Reza Riza; رامي Rami Ramy; راشد Rashid Rashed Rached
رشيد Rashid Rasheed Rachid; رحمن Rahman Rehman; رحيم Rahim Raheem
رمضان Ramadan Ramadhan Ramzan Ramazan; رفيق Rafik Rafiq; رأفت Raafat Rafat; رؤوف Raouf Rauf
رائد Raed Raid; نبيل Nabil Nabeel; نادر Nader Nadir; نجيب Najib Naguib Najeeb Nadjib
نعيم Naim Naeem; نور Nour Nur Noor; نورالدين Noureddine Nuruddin Nooruddin
صلاحالدين Salaheddine Salahuddin Selahattin; سيف Saif Seif Sayf
شريف Sharif Sherif Cherif Shareef; شاكر Shakir Shaker Chaker; شهاب Shihab Shehab
صابر Saber Sabir; صبري Sabri Sabry; صادق Sadiq Sadek Sadegh; طاهر Taher Tahir Tahar; طلال Talal
عادل Adel Adil; عامر Amer Amir; أمير Amir Ameer Emir; عمرو Amr Amro Amrou; عماد Imad Emad
عباس Abbas; عدنان Adnan; عصام Essam Issam Esam; علاء Alaa Ala; عوض Awad Awadh
غسان Ghassan Gassan; غانم Ghanem Ghanim; فادي Fadi Fady; فارس Fares Faris
فاروق Farouk Farooq Faruq Faruk; فهد Fahd Fahad; فواز Fawaz Fawwaz; فوزي Fawzi Fouzi Fevzi Fauzi
فيصل Faisal Faysal Feisal Faycal; فتحي Fathi Fethi; فؤاد Fouad Fuad Foad
فريد Farid Fareed Ferit; قاسم Qasim Qasem Kassem Kacem Ghasem; كامل Kamel Kamil
كمال Kamal Kemal; لطفي Lotfi Lutfi; لؤي Loay Louay; مازن Mazen Mazin; مجدي Magdy Majdi Magdi
محسن Mohsen Muhsin Mohsin; مختار Mukhtar Mokhtar Muhtar; منير Munir Mounir Muneer
مؤمن Moamen Mumin Moemen; مؤيد Moayad Muayad; هاني Hani Hany; هادي Hadi Hady
هاشم Hashim Hashem Hachem; هشام Hisham Hesham Hicham; هيثم Haitham Haytham; وائل Wael Wail
وسام Wissam Wisam; يزيد Yazid Yazeed; يونس Younes Yunus Younis Yunis; حاتم Hatem Hatim
حبيب Habib Habeeb; حسام Hossam Husam Houssam; حسني Hosni Husni; حيدر Haidar Haydar Haider Heydar
حمد Hamad; حمدي Hamdi Hamdy; خليل Khalil Khaleel Halil; خلف Khalaf Khalef
خليفة Khalifa Khalifah Khelifa; جابر Jaber Jabir Gaber; جلال Jalal Galal Djalal Celal
ثامر Thamer Tamer; تامر Tamer Tamir; توفيق Tawfiq Toufik Tewfik Tawfeek; بدر Badr Bader Bedr
بكر Bakr Baker Bekir; بشير Bashir Basheer Bachir; باسم Bassem Basim Basem
باسل Basel Bassel Basil; بسام Bassam; أشرف Ashraf Achraf; أكرم Akram Ekrem
أنور Anwar Anouar Enver; أيمن Ayman Aiman Aymen Eymen; إيهاب Ihab Ehab; إياد Iyad Eyad
أديب Adib Adeeb; ممدوح Mamdouh Mamduh; جورج Georg George; بطرس Boutros Butros; حنا Hanna Hana
ميخائيل Mikhail Mikhael; سركيس Sarkis Serkis; فاطمة Fatima Fatma Fatimah Fatema
عائشة Aisha Ayesha Aicha Aysha; خديجة Khadija Khadijah Hadija Khadidja
زينب Zainab Zeinab Zaynab Zineb Zeynep; مريم Maryam Mariam Meryem Meriem; آمنة Amina Amna Amneh
أمينة Amina Ameena Amineh; حليمة Halima Haleema; سارة Sara Sarah; ليلى Layla Leila Laila Leyla
سلمى Salma Selma; سميرة Samira Sameera; نادية Nadia Nadiya; نورة Noura Nora Nurah
نجلاء Najla Naglaa; هدى Huda Hoda Houda; هند Hind Hend; هالة Hala Hale; منى Mona Muna Mouna
ريم Reem Rim; رانيا Rania Ranya; رنا Rana; دينا Dina Deena; دعاء Doaa Dua Duaa; إيمان Iman Eman
أسماء Asma Asmaa; آية Aya Ayah; أمل Amal Amel Emel; إسراء Israa Esraa Isra; بسمة Basma Bassma
جميلة Jamila Jameela Djamila; حنان Hanan Hanane; سناء Sanaa Sana; سعاد Suad Souad
سهام Siham Seham; شيماء Shaimaa Chaima Shayma; صفاء Safaa Safa; غادة Ghada Gada; فرح Farah
كوثر Kawthar Kaouther; لبنى Lubna Loubna Lobna; نجاة Najat Nagat Nejat; وفاء Wafaa Wafa Ouafa
ياسمين Yasmin Yasmeen Yasmine Jasmin; الحربي Alharbi Al-Harbi El-Harbi
الشمري Alshammari Al-Shammari Ashammari; العتيبي Alotaibi Al-Otaibi Al-Utaybi
القحطاني Alqahtani Al-Kahtani; الزهراني Alzahrani Azzahrani; الغامدي Alghamdi Al-Ghamdi
الدوسري Aldosari Al-Dosary Addosari; المطيري Almutairi Al-Mutairi; السيد Elsayed Al-Sayed Elsaid
المصري Almasri El-Masry Masri; النجار Alnajjar Elnaggar Najjar; الخطيب Alkhatib El-Khatib Khatib
حداد Haddad Hadad; خوري Khoury Khouri Khuri
""")
"""Arabic given names and surnames."""

HEBREW = _table("""
כהן Cohen Kohen Kohn Cohn; לוי Levy Levi Levey; מזרחי Mizrahi Mizrachi; פרץ Peretz Perez Perets
ביטון Biton Bitton; דהן Dahan; אברהם Abraham Avraham; פרידמן Friedman Fridman
אזולאי Azoulay Azulai; מלכה Malka Malkah; כץ Katz Kats; אגבריה Agbaria Agbariya
אוחיון Ohayon Ohayoun; חדד Hadad Haddad; גבאי Gabay Gabbai; דוד David
יוסף Yosef Joseph Yoseph Josef; עמר Amar; בןדוד Ben-David Bendavid; חיים Chaim Haim Hayim Chayim
אדרי Edri Adri; שפירא Shapira Shapiro Schapira; אוחנה Ohana Ochana
גולדשטיין Goldstein Goldshtein; וקנין Vaknin Waknin; קליין Klein Klain; לוין Levin Levine
רוזנברג Rosenberg Rozenberg; שוורץ Schwartz Shvarts Schwarz; וייס Weiss Veis Weis
הורוביץ Horowitz Horovitz; רוזן Rosen Rozen; גרינברג Greenberg Grinberg; שטרן Stern Shtern
ברק Barak; סגל Segal; גולן Golan; שרון Sharon; ששון Sasson Sason
בןחיים Ben-Haim Benhaim Ben-Chaim; משה Moshe Mosheh; יעקב Yaakov Jacob Yakov
יצחק Yitzhak Itzhak Yitzchak Izhak; ישראל Israel Yisrael; שלמה Shlomo Schlomo
שמואל Shmuel Samuel; דניאל Daniel; מיכאל Michael Michal; רפאל Rafael Raphael Refael
גבריאל Gabriel Gavriel; אליהו Eliyahu Eliahu; יהודה Yehuda Yehudah Jehuda; אהרן Aharon Aaharon
אריה Arie Aryeh Arye; צבי Zvi Tzvi Tsvi; זאב Zeev Zev; מרדכי Mordechai Mordekhai Mordecai
נתן Natan Nathan; יונתן Yonatan Jonathan Yonathan; אורי Uri Ori Oori; אלון Alon Elon
אבי Avi Abi; עמית Amit Ameet; איתי Itai Itay Etai; גיל Gil; טל Tal; גל Gal; רון Ron
רועי Roy Roi Roee; עידו Ido Iddo; עומר Omer Omar; נועם Noam; יובל Yuval; ערן Eran; ירון Yaron
אייל Eyal Ayal; חנן Hanan Chanan; מנחם Menachem Menahem; יהושע Yehoshua Jehoshua
בנימין Binyamin Benyamin Benjamin; שמעון Shimon Simon; ראובן Reuven Reuben; שרה Sara Sarah
רבקה Rivka Rivkah; רחל Rachel Rahel; לאה Lea Leah; חנה Hannah Chana Hana; מרים Miriam Miryam
אסתר Esther Ester; רות Ruth Rut; נועה Noa Noah; תמר Tamar; מיכל Michal Mikhal; יעל Yael
שירה Shira Shirah; דנה Dana Danah; אורלי Orly Orli; רונית Ronit; ענת Anat
אביגיל Avigail Abigail; הדס Hadas Hadass; עדי Adi; ליאור Lior; שושנה Shoshana Shoshanna
יהודית Yehudit; גולדברג Goldberg
""")
"""Hebrew given names and surnames."""

OTHERS = _table("""
رضایی Rezaei Rezaie Rezai; حسینی Hosseini Hoseini; کریمی Karimi Kareemi; پروین Parvin Parveen
کەمال Kemal Kamal; شێرکۆ Shirko
ژاله Zhaleh Jaleh; چنگیز Changiz Changeez Cengiz; گل Gol Gul; گلناز Golnaz Gulnaz
فاطمه Fatemeh Fateme; مجتبی Mojtaba; ابوالفضل Abolfazl Abulfazl; قاسمی Ghasemi Qasemi
خسرو Khosrow Khosro; شاہ Shah; قریشی Qureshi Quraishi; چودھری Chaudhry Choudhury Chaudhary
بٹ Butt But; خاں Khan; رانجھے Ranjhe; ܝܘܣܦ Yosip Yousip Josef; ܐܫܘܪ Ashur Ashour
ܡܪܝܡ Maryam Mariam; ܫܡܥܘܢ Shimun Shimon
""")
"""Persian, Urdu and Syriac ones."""
